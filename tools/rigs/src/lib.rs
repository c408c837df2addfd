//! The soak, used by its binary and by a short test.

pub mod soak;

//! The soak, shared by its binary and by the short run among the tests.

pub mod soak;

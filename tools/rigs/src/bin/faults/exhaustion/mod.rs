//! More than a server can be expected to take.

pub(crate) mod cancelled;
pub(crate) mod heads;
pub(crate) mod idle;
pub(crate) mod line;
pub(crate) mod slowloris;
pub(crate) mod tokens;

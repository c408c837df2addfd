//! Overload of the server.

pub(crate) mod cancelled;
pub(crate) mod heads;
pub(crate) mod idle;
pub(crate) mod queue;
pub(crate) mod slowloris;
pub(crate) mod tokens;

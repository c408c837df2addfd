//! Errors that end a run.

/// Any error: a run with an error has no result.
pub(crate) type Error = Box<dyn std::error::Error>;

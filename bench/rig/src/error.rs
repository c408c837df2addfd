//! What stops a run.

/// Anything: a run that cannot be trusted has no result.
pub(crate) type Error = Box<dyn std::error::Error>;

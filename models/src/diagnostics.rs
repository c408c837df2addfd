//! What the library's files find in place of `crate::diagnostics`.

/// Nobody examines a model's store.
pub(crate) enum Check {}

//! Replaces `crate::diagnostics` for the library's files.

/// Never created: no model runs diagnostics.
pub(crate) enum Check {}

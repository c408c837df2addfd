//! How bad it is.

use std::fmt;

/// What a [`Check`](crate::Check) means for those who are to be let in.
///
/// ```
/// use better_auth_layer::{HealthReport, CheckStatus};
///
/// /// A check that is meant to be strict.
/// fn is_spotless(diagnosis: &HealthReport) -> bool {
///     diagnosis.checks().iter().all(|finding| finding.status() == CheckStatus::Ok)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckStatus {
    /// It is as it should be.
    Ok,
    /// It works, and is weaker or slower than it should be.
    Warning,
    /// Some or all requests would be refused, or something that the settings ask for would not work.
    Failed,
}

impl CheckStatus {
    /// The word that a finding's line begins with.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for CheckStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

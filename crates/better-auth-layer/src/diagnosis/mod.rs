//! What is right and what is wrong with a deployment, found before anybody is let in.

mod finding;
mod verdict;

use std::fmt;

pub use self::finding::Check;
pub use self::verdict::CheckStatus;

/// What a check of a deployment has found, one [`Check`] for each thing that was looked at.
///
/// Made by [`Authenticator::diagnose`](crate::Authenticator::diagnose) and, with the feature `postgres` or `sqlite`, by
/// `BetterAuthLayer::diagnose_env`. `Display` is one line for each finding:
///
/// ```
/// use better_auth_layer::{HealthReport, Check};
///
/// let mut diagnosis = HealthReport::new();
/// diagnosis.push(Check::ok("database", "PostgreSQL 17.2 answers"));
/// diagnosis.push(
///     Check::failed("public keys", "the keys could not be fetched")
///         .with_remedy("see that the issuer can be reached from here"),
/// );
/// assert_eq!(
///     diagnosis.to_string(),
///     "ok       database: PostgreSQL 17.2 answers\n\
///      failed   public keys: the keys could not be fetched; see that the issuer can be reached from here\n",
/// );
/// assert!(!diagnosis.is_healthy());
/// ```
///
/// Nothing in it is a secret, a password, a token or an e-mail address. Names of tables, columns and roles are; it is for
/// whoever runs the service, not for its clients.
#[derive(Clone, Debug, Default)]
pub struct HealthReport {
    findings: Vec<Check>,
}

impl HealthReport {
    /// A diagnosis without findings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding, such as one about the program's own settings.
    pub fn push(&mut self, finding: Check) {
        self.findings.push(finding);
    }

    /// What was found, in the order in which it was looked at.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.findings
    }

    /// Whether nothing has [failed](CheckStatus::Failed). Warnings do not count.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.status() != CheckStatus::Failed)
    }
}

impl Extend<Check> for HealthReport {
    fn extend<I: IntoIterator<Item = Check>>(&mut self, findings: I) {
        self.findings.extend(findings);
    }
}

impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings
            .iter()
            .try_for_each(|finding| writeln!(f, "{finding}"))
    }
}

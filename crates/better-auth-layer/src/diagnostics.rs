//! Health reports: the checks of a deployment at startup, with a remedy for each problem.

use std::borrow::Cow;
use std::fmt;

use crate::config_error::ConfigError;

/// The checks of a deployment.
///
/// Returned by [`Authenticator::diagnose`](crate::Authenticator::diagnose) and, with the feature
/// `postgres` or `sqlite`, by `BetterAuthLayer::diagnose_env`. `Display` prints one line per check:
///
/// ```
/// use better_auth_layer::diagnostics::{Check, HealthReport};
///
/// let mut report = HealthReport::new();
/// report.push(Check::ok("database", "PostgreSQL 17.2"));
/// report.push(
///     Check::failed("public keys", "cannot be fetched")
///         .with_remedy("check that this host can reach the issuer"),
/// );
/// assert_eq!(
///     report.to_string(),
///     "ok       database: PostgreSQL 17.2\n\
///      failed   public keys: cannot be fetched; check that this host can reach the issuer\n",
/// );
/// assert!(!report.is_healthy());
/// ```
///
/// A report contains no secrets, passwords, tokens or emails. It does contain the names of tables,
/// columns and roles, so do not show it to clients.
#[derive(Clone, Debug, Default)]
pub struct HealthReport {
    checks: Vec<Check>,
}

impl HealthReport {
    /// Creates an empty report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check, for example one of the application.
    pub fn push(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// The checks in the order in which they ran.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether no check has [failed](CheckStatus::Failed). Warnings do not count.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.status != CheckStatus::Failed)
    }
}

impl Extend<Check> for HealthReport {
    fn extend<I: IntoIterator<Item = Check>>(&mut self, checks: I) {
        self.checks.extend(checks);
    }
}

impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checks
            .iter()
            .try_for_each(|check| writeln!(f, "{check}"))
    }
}

/// One check of a [`HealthReport`]: subject, status, message and remedy.
///
/// `Display` prints one line. Control characters in server messages become spaces.
///
/// ```
/// use better_auth_layer::diagnostics::{Check, CheckStatus};
///
/// let check = Check::warning("connection", "is not encrypted")
///     .with_remedy("remove `sslmode=disable` from DATABASE_URL");
/// assert_eq!(check.status(), CheckStatus::Warning);
/// assert_eq!(
///     check.to_string(),
///     "warning  connection: is not encrypted; remove `sslmode=disable` from DATABASE_URL",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    subject: Cow<'static, str>,
    status: CheckStatus,
    message: Cow<'static, str>,
    remedy: Option<Cow<'static, str>>,
}

impl Check {
    /// Creates a check that has passed.
    #[must_use]
    pub fn ok(
        subject: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(subject.into(), CheckStatus::Ok, message.into())
    }

    /// Creates a check with the status [`Warning`](CheckStatus::Warning).
    #[must_use]
    pub fn warning(
        subject: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(subject.into(), CheckStatus::Warning, message.into())
    }

    /// Creates a check that has failed.
    #[must_use]
    pub fn failed(
        subject: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(subject.into(), CheckStatus::Failed, message.into())
    }

    fn new(subject: Cow<'static, str>, status: CheckStatus, message: Cow<'static, str>) -> Self {
        Self {
            subject,
            status,
            message,
            remedy: None,
        }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The subject, for example `tables`, or the name of an invalid setting.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> CheckStatus {
        self.status
    }

    /// The result in words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How to fix the problem.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl From<ConfigError> for Check {
    fn from(error: ConfigError) -> Self {
        let (setting, problem, remedy) = error.into_parts();
        Self::failed(setting, problem).with_remedy(remedy)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{:<8} {}: {}", self.status, self.subject, self.message);
        if let Some(remedy) = &self.remedy {
            line.push_str("; ");
            line.push_str(remedy);
        }
        f.write_str(&line.replace(char::is_control, " "))
    }
}

/// The status of a [`Check`].
///
/// ```
/// use better_auth_layer::diagnostics::{CheckStatus, HealthReport};
///
/// fn has_no_warnings(report: &HealthReport) -> bool {
///     report.checks().iter().all(|check| check.status() == CheckStatus::Ok)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckStatus {
    /// The check has passed.
    Ok,
    /// The deployment works, but is less secure or slower than it can be.
    Warning,
    /// Requests will be rejected, or a configured feature does not work.
    Failed,
}

impl CheckStatus {
    /// The first word of the line that a check prints.
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

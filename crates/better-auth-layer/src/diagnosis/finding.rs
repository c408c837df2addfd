//! One thing that was looked at.

use std::borrow::Cow;
use std::fmt;

use super::CheckStatus;
use crate::config_error::ConfigError;

/// One thing that was looked at: what, how it is, and what to do about it.
///
/// `Display` is one line, whatever a server has said: line breaks in it are blanks.
///
/// ```
/// use better_auth_layer::{Check, CheckStatus};
///
/// let finding = Check::warning("connection", "is not encrypted")
///     .with_remedy("remove `sslmode=disable` from DATABASE_URL");
/// assert_eq!(finding.status(), CheckStatus::Warning);
/// assert_eq!(
///     finding.to_string(),
///     "warning  connection: is not encrypted; remove `sslmode=disable` from DATABASE_URL",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    what: Cow<'static, str>,
    verdict: CheckStatus,
    says: Cow<'static, str>,
    remedy: Option<Cow<'static, str>>,
}

impl Check {
    /// Something that is right.
    #[must_use]
    pub fn ok(what: impl Into<Cow<'static, str>>, says: impl Into<Cow<'static, str>>) -> Self {
        Self::new(what.into(), CheckStatus::Ok, says.into())
    }

    /// Something that works, and should be otherwise.
    #[must_use]
    pub fn warning(what: impl Into<Cow<'static, str>>, says: impl Into<Cow<'static, str>>) -> Self {
        Self::new(what.into(), CheckStatus::Warning, says.into())
    }

    /// Something because of which requests would be refused, or that was asked for and does not work.
    #[must_use]
    pub fn failed(what: impl Into<Cow<'static, str>>, says: impl Into<Cow<'static, str>>) -> Self {
        Self::new(what.into(), CheckStatus::Failed, says.into())
    }

    fn new(what: Cow<'static, str>, verdict: CheckStatus, says: Cow<'static, str>) -> Self {
        Self {
            what,
            verdict,
            says,
            remedy: None,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// What was looked at, such as `tables` or, where a setting cannot be used, its name.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.what
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> CheckStatus {
        self.verdict
    }

    /// How it is, in words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.says
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl From<ConfigError> for Check {
    fn from(error: ConfigError) -> Self {
        let [setting, problem, remedy] = error.into_parts();
        Self::failed(setting, problem).with_remedy(remedy)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = format!("{:<8} {}: {}", self.verdict, self.what, self.says);
        if let Some(remedy) = &self.remedy {
            line.push_str("; ");
            line.push_str(remedy);
        }
        f.write_str(&line.replace(char::is_control, " "))
    }
}

//! What is wrong with the configuration, found before the first request.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// The configuration cannot be used.
///
/// The text names the setting, what is wrong with it, and what to write instead. It never holds a secret, a password
/// or a host of an address that was not understood (part of a password may look like one).
///
/// ```
/// use better_auth_layer::BetterAuthLayer;
///
/// let error = BetterAuthLayer::builder().build().unwrap_err();
/// assert_eq!(error.setting(), "secret");
/// assert_eq!(
///     error.to_string(),
///     "`secret` is not set; give the builder the secret that Better Auth signs with (BETTER_AUTH_SECRET), its address with `base_url` (BETTER_AUTH_URL), or both",
/// );
/// ```
#[derive(Debug)]
pub struct ConfigError {
    setting: Cow<'static, str>,
    problem: Cow<'static, str>,
    remedy: Cow<'static, str>,
}

impl ConfigError {
    /// An error about a setting of the program's own, in the same form: "`setting` problem; remedy".
    ///
    /// ```
    /// use better_auth_layer::ConfigError;
    ///
    /// let error = ConfigError::new("PORT", "is not a number", "write a number such as 8000");
    /// assert_eq!(error.to_string(), "`PORT` is not a number; write a number such as 8000");
    /// ```
    pub fn new(
        setting: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            setting: setting.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The setting, the problem and the remedy.
    pub(crate) fn into_parts(self) -> [Cow<'static, str>; 3] {
        [self.setting, self.problem, self.remedy]
    }

    /// The same error about `other`, where it is about `setting`.
    #[cfg(feature = "postgres")]
    pub(crate) fn about(mut self, setting: &str, other: &'static str) -> Self {
        if self.setting == setting {
            self.setting = other.into();
        }
        self
    }

    /// The builder's method or the environment variable in question.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}; {}", self.setting, self.problem, self.remedy)
    }
}

impl Error for ConfigError {}

//! [`ConfigError`]: configuration errors, found before the first request.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// An error in the configuration.
///
/// The message names the setting, the problem and the remedy. It never contains a secret or a
/// password, and no part of a URL that could not be parsed, because that part may be a password.
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, ConfigError};
///
/// let error = BetterAuthLayer::builder().build().unwrap_err();
/// assert!(matches!(error, ConfigError::Missing { .. }));
/// assert_eq!(error.setting(), "secret");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required setting is missing.
    Missing {
        /// The environment variable or the builder method.
        setting: Cow<'static, str>,
        /// How to set it.
        remedy: Cow<'static, str>,
    },
    /// The value of a setting is invalid, or conflicts with another setting.
    Invalid {
        /// The environment variable or the builder method.
        setting: Cow<'static, str>,
        /// The problem, as the predicate of a sentence about the setting.
        problem: Cow<'static, str>,
        /// How to fix it.
        remedy: Cow<'static, str>,
    },
}

impl ConfigError {
    /// Creates an [`Invalid`](Self::Invalid) error, for settings of the application too.
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
        Self::Invalid {
            setting: setting.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// Creates a [`Missing`](Self::Missing) error.
    pub fn missing(
        setting: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Missing {
            setting: setting.into(),
            remedy: remedy.into(),
        }
    }

    /// Setting, problem and remedy.
    pub(crate) fn into_parts(self) -> (Cow<'static, str>, Cow<'static, str>, Cow<'static, str>) {
        match self {
            Self::Missing { setting, remedy } => (setting, "is not set".into(), remedy),
            Self::Invalid {
                setting,
                problem,
                remedy,
            } => (setting, problem, remedy),
        }
    }

    /// Replaces the name of the setting, where a value was read from another setting.
    #[cfg(feature = "postgres")]
    pub(crate) fn renamed(mut self, from: &str, to: &'static str) -> Self {
        let (Self::Missing { setting, .. } | Self::Invalid { setting, .. }) = &mut self;
        if *setting == from {
            *setting = to.into();
        }
        self
    }

    /// The environment variable or the builder method.
    #[must_use]
    pub fn setting(&self) -> &str {
        let (Self::Missing { setting, .. } | Self::Invalid { setting, .. }) = self;
        setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { setting, remedy } => write!(f, "`{setting}` is not set; {remedy}"),
            Self::Invalid {
                setting,
                problem,
                remedy,
            } => write!(f, "`{setting}` {problem}; {remedy}"),
        }
    }
}

impl Error for ConfigError {}

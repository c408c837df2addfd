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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required setting is missing.
    #[non_exhaustive]
    Missing {
        /// The environment variable or the builder method.
        setting: Cow<'static, str>,
        /// How to set it.
        remedy: Cow<'static, str>,
    },
    /// The value of a setting is invalid.
    #[non_exhaustive]
    Invalid {
        /// The environment variable or the builder method.
        setting: Cow<'static, str>,
        /// The problem, as the predicate of a sentence about the setting.
        problem: Cow<'static, str>,
        /// How to fix it.
        remedy: Cow<'static, str>,
    },
    /// A setting contradicts another one, or needs another one.
    #[non_exhaustive]
    Conflict {
        /// The environment variable or the builder method.
        setting: Cow<'static, str>,
        /// The problem, as the predicate of a sentence about the setting.
        problem: Cow<'static, str>,
        /// Which setting to change.
        remedy: Cow<'static, str>,
    },
    /// A setting needs a disabled Cargo feature of this crate.
    #[non_exhaustive]
    FeatureDisabled {
        /// The environment variable or the builder method.
        setting: Cow<'static, str>,
        /// The name of the feature.
        feature: &'static str,
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

    pub(crate) fn conflict(
        setting: &'static str,
        problem: impl Into<Cow<'static, str>>,
        remedy: &'static str,
    ) -> Self {
        Self::Conflict {
            setting: setting.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    #[cfg(any(
        not(feature = "jwks-http"),
        all(feature = "postgres", not(feature = "sqlite")),
        all(feature = "sqlite", not(feature = "postgres"))
    ))]
    pub(crate) fn feature_disabled(setting: &'static str, feature: &'static str) -> Self {
        Self::FeatureDisabled {
            setting: setting.into(),
            feature,
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
            }
            | Self::Conflict {
                setting,
                problem,
                remedy,
            } => (setting, problem, remedy),
            Self::FeatureDisabled { setting, feature } => (
                setting,
                format!("needs the feature `{feature}`, which is disabled").into(),
                format!("enable the feature `{feature}` of better-auth-layer").into(),
            ),
        }
    }

    /// Names another setting: the environment variable that a builder method got its value from.
    pub(crate) fn with_setting(mut self, name: &'static str) -> Self {
        let (Self::Missing { setting, .. }
        | Self::Invalid { setting, .. }
        | Self::Conflict { setting, .. }
        | Self::FeatureDisabled { setting, .. }) = &mut self;
        *setting = name.into();
        self
    }

    /// Names another setting in an error about the setting `from`.
    #[cfg(feature = "postgres")]
    pub(crate) fn renamed(self, from: &str, to: &'static str) -> Self {
        if self.setting() == from {
            return self.with_setting(to);
        }
        self
    }

    /// The environment variable or the builder method.
    #[must_use]
    pub fn setting(&self) -> &str {
        let (Self::Missing { setting, .. }
        | Self::Invalid { setting, .. }
        | Self::Conflict { setting, .. }
        | Self::FeatureDisabled { setting, .. }) = self;
        setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (setting, problem, remedy) = self.clone().into_parts();
        write!(f, "`{setting}` {problem}; {remedy}")
    }
}

impl Error for ConfigError {}

//! [`Env`]: environment variables, with a `.env` file as fallback.

use std::collections::BTreeMap;
use std::fmt;

use crate::config_error::ConfigError;

/// Environment variables: those of the process or, in tests, a list.
///
/// An empty variable counts as not set. `Debug` shows names but no values.
///
/// ```
/// use better_auth_layer::config::Env;
///
/// let env: Env = [("BETTER_AUTH_ISSUER", "https://app.example.com"), ("PORT", "")].into_iter().collect();
/// assert_eq!(env.get("BETTER_AUTH_ISSUER")?, Some("https://app.example.com"));
/// assert_eq!(env.get("PORT")?, None);
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<String, Value>,
}

#[derive(Clone)]
enum Value {
    Text(String),
    NotUnicode,
    /// A value in a `.env` file in which dotenvy substituted a variable.
    #[cfg(feature = "dotenv")]
    Substitution,
}

impl Env {
    /// Reads the environment of this process.
    #[must_use]
    pub fn process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let value = value.into_string().map_or(Value::NotUnicode, Value::Text);
            Some((name.into_string().ok()?, value))
        });
        Self {
            variables: variables.collect(),
        }
    }

    /// Returns the value of a variable, or `None` if it is not set or empty.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the value is not Unicode, or if it comes from a `.env` file and contains a
    /// `$` that dotenvy replaces with the value of another variable.
    pub fn get(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        match self.variables.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(Value::NotUnicode) => Err(ConfigError::new(
                name.to_owned(),
                "is not valid UTF-8",
                "write it as UTF-8 text",
            )),
            #[cfg(feature = "dotenv")]
            Some(Value::Substitution) => Err(ConfigError::new(
                name.to_owned(),
                "has a `$` in the .env file, which is replaced by another variable",
                "put the whole value between single quotes",
            )),
        }
    }

    /// Parses a variable. An error names the variable instead of the setting that `parser` names.
    pub(super) fn parse<T>(
        &self,
        name: &'static str,
        parser: impl FnOnce(&str) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        let value = self.get(name)?.map(parser).transpose();
        value.map_err(|error| error.with_setting(name))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter();
        Self {
            variables: variables
                .map(|(name, value)| (name.into(), Value::Text(value.into())))
                .collect(),
        }
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(feature = "dotenv")]
mod dotenv {
    use std::io::ErrorKind;
    use std::path::Path;

    use super::{Env, Value};
    use crate::config_error::ConfigError;

    impl Env {
        /// Adds the variables of a `.env` file that are not set or empty in this environment. A
        /// missing file is not an error.
        ///
        /// dotenvy substitutes variables (`$NAME`) in values that are not in single quotes.
        /// [`get`](Self::get) returns an error for such a value, so that a secret with a `$` is never
        /// changed silently.
        ///
        /// ```no_run
        /// use better_auth_layer::Config;
        /// use better_auth_layer::config::Env;
        ///
        /// let config = Config::from_env(&Env::process().with_file(".env")?)?;
        /// # let _ = config;
        /// # Ok::<(), better_auth_layer::ConfigError>(())
        /// ```
        ///
        /// # Errors
        ///
        /// [`ConfigError`] if the file cannot be read or parsed. The error contains no text of the
        /// file, which may be part of a secret.
        pub fn with_file(mut self, path: impl AsRef<Path>) -> Result<Self, ConfigError> {
            let path = path.as_ref();
            let file_error = |problem: String, remedy| {
                ConfigError::new(path.display().to_string(), problem, remedy)
            };
            let text = match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(self),
                Err(error) => {
                    let problem = format!("cannot be read: {}", error.kind());
                    return Err(file_error(problem, "make it readable, as UTF-8 text"));
                }
            };
            let masked = mask_dollars(&text);
            let mut masked = dotenvy::from_read_iter(masked.as_bytes()).flatten();
            let mut last_name = None;
            for variable in dotenvy::from_read_iter(text.as_bytes()) {
                let (name, value) = variable.map_err(|_| {
                    let problem = match &last_name {
                        None => "cannot be parsed at the beginning".to_owned(),
                        Some(name) => format!("cannot be parsed after the variable {name}"),
                    };
                    file_error(
                        problem,
                        "write `NAME=value`, with single quotes around values that contain spaces, quotes or `#`",
                    )
                })?;
                let value = match masked.next() {
                    Some((_, masked)) if masked.replace(MASK, "$") == value => Value::Text(value),
                    _ => Value::Substitution,
                };
                last_name = Some(name.clone());
                let slot = self
                    .variables
                    .entry(name)
                    .or_insert(Value::Text(String::new()));
                if matches!(slot, Value::Text(text) if text.is_empty()) {
                    *slot = value;
                }
            }
            Ok(self)
        }
    }

    /// Replaces `$` in [`mask_dollars`]. A character for private use, so that no file contains it.
    const MASK: char = '\u{e024}';

    /// Masks every `$` that no backslash escapes, so that dotenvy substitutes nothing. Comparing both
    /// readings finds each substitution without a second implementation of dotenvy's grammar.
    fn mask_dollars(text: &str) -> String {
        let mut is_escaped = false;
        text.chars()
            .map(|character| {
                let is_masked = character == '$' && !is_escaped;
                is_escaped = character == '\\' && !is_escaped;
                if is_masked { MASK } else { character }
            })
            .collect()
    }
}

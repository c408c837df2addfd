//! Env variables, perhaps with a `.env` file behind them.

use std::collections::BTreeMap;
use std::fmt;

use crate::config_error::ConfigError;

/// Where settings are read from: the process environment or, in tests, any list of variables.
///
/// With the feature `dotenv` a `.env` file can stand behind it. An empty variable counts as not set.
///
/// ```
/// use better_auth_layer::Env;
///
/// let environment: Env = [("BETTER_AUTH_ISSUER", "https://app.example.com"), ("PORT", "")].into_iter().collect();
/// assert_eq!(environment.get("BETTER_AUTH_ISSUER")?, Some("https://app.example.com"));
/// assert_eq!(environment.get("PORT")?, None);
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
///
/// `Debug` shows the names, never the values.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<String, Value>,
}

#[derive(Clone)]
enum Value {
    Text(String),
    /// The process environment has bytes there that are no Unicode.
    NotUnicode,
    /// The file has a `$` there, in whose place the reader has put something else.
    #[cfg(feature = "dotenv")]
    Substituted,
}

impl Env {
    /// The environment of this process.
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

    /// The value of a variable; `None` if it is not set or empty.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the value cannot be known: it is not Unicode, or the `.env` file has a `$` in it that
    /// was taken for a substitution.
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
            Some(Value::Substituted) => Err(ConfigError::new(
                name.to_owned(),
                "has a `$` in the .env file, which would be replaced by another variable's value",
                "put the whole value between single quotes",
            )),
        }
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
        /// Puts a `.env` file behind the environment: a variable of the environment wins unless it is empty. A file
        /// that is not there is no error.
        ///
        /// ```no_run
        /// use better_auth_layer::{Env, Config};
        ///
        /// let settings = Config::from_env(&Env::process().with_file(".env")?)?;
        /// # let _ = settings;
        /// # Ok::<(), better_auth_layer::ConfigError>(())
        /// ```
        ///
        /// # Errors
        ///
        /// [`ConfigError`] when the file cannot be read or has a line that is no assignment; the error gives the
        /// line's number and nothing of its text, which may be half of a secret.
        pub fn with_file(mut self, path: impl AsRef<Path>) -> Result<Self, ConfigError> {
            let path = path.as_ref();
            let text = match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(self),
                Err(error) => {
                    let problem = format!("cannot be read: {}", error.kind());
                    return Err(file_error(path, problem, "make it readable, as UTF-8 text"));
                }
            };
            let marked = mark_dollars(&text);
            let mut marked = dotenvy::from_read_iter(marked.as_bytes()).flatten();
            for (read, variable) in dotenvy::from_read_iter(text.as_bytes()).enumerate() {
                let (name, value) =
                    variable.map_err(|error| malformed(path, &text, read, &error))?;
                // Where the two readings differ, something else has been put in the dollar's place.
                let value = match marked.next() {
                    Some((_, marked)) if marked.replace(MARK, "$") == value => Value::Text(value),
                    _ => Value::Substituted,
                };
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

    /// `read`: how many variables were read before, each of which took at least one line.
    fn malformed(path: &Path, text: &str, read: usize, error: &dotenvy::Error) -> ConfigError {
        let line = match error {
            dotenvy::Error::LineParse(part, _) => {
                let part = part.lines().next().unwrap_or_default().trim_end();
                let mut lines = text.lines().enumerate().skip(read);
                lines
                    .find(|(_, line)| line.contains(part))
                    .map(|(index, _)| index)
            }
            _ => None,
        };
        let problem = match line {
            Some(index) => format!("cannot be understood in line {}", index + 1),
            None => "cannot be understood".to_owned(),
        };
        file_error(
            path,
            problem,
            "write `NAME=value`, with the value between single quotes if it has blanks, quotes or `#` in it",
        )
    }

    fn file_error(path: &Path, problem: String, remedy: &'static str) -> ConfigError {
        ConfigError::new(path.display().to_string(), problem, remedy)
    }

    /// Stands for a dollar. Of the characters for private use, so that no file has it.
    const MARK: char = '\u{e024}';

    /// Puts the mark in the place of every dollar that has no backslash of its own before it, so that dotenvy, whose
    /// rules these are, reads the file without replacing anything.
    fn mark_dollars(text: &str) -> String {
        let mut escaped = false;
        text.chars()
            .map(|character| {
                let is_marked = character == '$' && !escaped;
                escaped = character == '\\' && !escaped;
                if is_marked { MARK } else { character }
            })
            .collect()
    }
}

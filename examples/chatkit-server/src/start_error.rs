//! Why the program could not begin.

use std::{fmt, io};

use better_auth_layer::ConfigError;

use crate::proxy::ProxyError;

/// One sentence for whoever started the program: what is wrong and what to write instead.
#[derive(Debug)]
pub(crate) struct StartError(String);

impl StartError {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A variable that cannot be used, in the words of [`ConfigError`].
    pub(crate) fn of_variable(name: &str, problem: &str, remedy: &str) -> Self {
        Self(format!("`{name}` {problem}; {remedy}"))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<ProxyError> for StartError {
    fn from(error: ProxyError) -> Self {
        Self(error.to_string())
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self(format!(
            "the system refuses what a server needs: {error}; \
             close other programs or raise the limits of this one"
        ))
    }
}

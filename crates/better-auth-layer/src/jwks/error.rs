//! The error of a key source.

use std::error::Error;
use std::fmt;

/// The keys could not be fetched.
///
/// `{}` prints one sentence, `{:#}` adds the causes.
///
/// ```
/// use better_auth_layer::jwks::KeySourceError;
///
/// fn failed(error: std::io::Error) -> KeySourceError {
///     KeySourceError::new(error)
/// }
/// ```
#[derive(Debug)]
pub struct KeySourceError {
    source: Box<dyn Error + Send + Sync>,
}

impl KeySourceError {
    /// Creates an error from its cause. The layer logs the cause.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
        }
    }
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys could not be fetched")?;
        if f.alternate() {
            let mut source = self.source();
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        Ok(())
    }
}

impl Error for KeySourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

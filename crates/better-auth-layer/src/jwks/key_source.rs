//! Where keys come from.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::KeySet;

/// Where the public keys come from.
///
/// Implemented by [`RemoteKeySource`](crate::jwks::RemoteKeySource) (an address), [`KeySet`] (keys that never change) and the
/// `key_source` of the SQL stores (Better Auth's `jwks` table). The layer keeps what it gets: see
/// [`JwksOptions`](crate::jwks::JwksOptions) for how long.
///
/// ```
/// use better_auth_layer::jwks::{KeySet, KeySource, KeySourceError};
///
/// /// Keys that a sidecar writes into a file.
/// struct File;
///
/// impl KeySource for File {
///     async fn fetch(&self) -> Result<KeySet, KeySourceError> {
///         let json = std::fs::read("/run/keys/jwks.json").map_err(KeySourceError::new)?;
///         KeySet::from_json(&json)
///     }
/// }
/// ```
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the keys that are in force now. Never called twice at the same time.
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] when they cannot be known. The layer then goes on with those it has.
    fn fetch(&self) -> impl Future<Output = Result<KeySet, KeySourceError>> + Send;

    /// The keys, where they never change. The default: they do.
    fn static_keys(&self) -> Option<KeySet> {
        None
    }
}

impl<S: KeySource> KeySource for Arc<S> {
    fn fetch(&self) -> impl Future<Output = Result<KeySet, KeySourceError>> + Send {
        S::fetch(self)
    }

    fn static_keys(&self) -> Option<KeySet> {
        S::static_keys(self)
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// [`KeySource`] with its future boxed and owning what it needs.
pub(crate) trait DynKeySource: Send + Sync + 'static {
    fn fetch(self: Arc<Self>) -> BoxFuture<Result<KeySet, KeySourceError>>;
    fn static_keys(&self) -> Option<KeySet>;
}

impl<S: KeySource> DynKeySource for S {
    fn fetch(self: Arc<Self>) -> BoxFuture<Result<KeySet, KeySourceError>> {
        Box::pin(async move { KeySource::fetch(&*self).await })
    }

    fn static_keys(&self) -> Option<KeySet> {
        KeySource::static_keys(self)
    }
}

/// Keys could not be fetched.
///
/// `{}` is one sentence, `{:#}` adds the causes.
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
    /// An error with its cause, which goes to the log.
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

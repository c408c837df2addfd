//! The trait for sources of public keys.

use std::pin::Pin;
use std::sync::Arc;

use super::{KeySet, KeySourceError};
use crate::clock::Timestamp;

/// A source of public keys.
///
/// Implemented by [`RemoteKeySource`](crate::jwks::RemoteKeySource) (fetches from a URL), [`KeySet`]
/// (keys that never change) and the `key_source` of the SQL stores (Better Auth's `jwks` table). The
/// layer caches the keys as [`JwksOptions`](crate::jwks::JwksOptions) configures.
///
/// ```
/// use better_auth_layer::jwks::{KeySet, KeySource, KeySourceError};
///
/// /// Reads keys that a sidecar writes to a file.
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
    /// Fetches the current keys. The layer never runs two fetches of a source at the same time.
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] if the source is unavailable. The layer then keeps using the cached keys.
    fn fetch(&self) -> impl Future<Output = Result<KeySet, KeySourceError>> + Send;

    /// Returns the keys if they never change. Default: `None`.
    fn static_keys(&self) -> Option<KeySet> {
        None
    }

    /// The time on the issuer's clock when the last fetch was answered, if known; used by
    /// [`diagnose`](crate::Authenticator::diagnose). Default: `None`.
    fn server_time(&self) -> Option<Timestamp> {
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

    fn server_time(&self) -> Option<Timestamp> {
        S::server_time(self)
    }
}

impl KeySource for KeySet {
    async fn fetch(&self) -> Result<Self, KeySourceError> {
        Ok(self.clone())
    }

    fn static_keys(&self) -> Option<Self> {
        Some(self.clone())
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The dyn-compatible form of [`KeySource`].
pub(crate) trait DynKeySource: Send + Sync + 'static {
    fn fetch(self: Arc<Self>) -> BoxFuture<Result<KeySet, KeySourceError>>;
    fn static_keys(&self) -> Option<KeySet>;
    fn server_time(&self) -> Option<Timestamp>;
}

impl<S: KeySource> DynKeySource for S {
    fn fetch(self: Arc<Self>) -> BoxFuture<Result<KeySet, KeySourceError>> {
        Box::pin(async move { KeySource::fetch(&*self).await })
    }

    fn static_keys(&self) -> Option<KeySet> {
        KeySource::static_keys(self)
    }

    fn server_time(&self) -> Option<Timestamp> {
        KeySource::server_time(self)
    }
}

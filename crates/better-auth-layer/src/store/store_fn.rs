//! A store from a closure.

use super::{Lookup, Resolution, StoreError, UserStore};

/// Makes a [`UserStore`] from an async closure, the shortest mock for a unit test.
///
/// The store supports all lookups that [`UserStore::supports`] supports by default, and is always
/// ready.
///
/// ```
/// use better_auth_layer::{Resolution, Session, StoreError, User};
/// use better_auth_layer::clock::Timestamp;
/// use better_auth_layer::store::store_fn;
///
/// let store = store_fn(|_lookup| async {
///     let session = Session::new("ses_1", "usr_1", Timestamp::MAX);
///     Ok::<_, StoreError>(Resolution::found(User::new("usr_1", "ada@example.com"), session))
/// });
/// ```
pub fn store_fn<F, Fut>(resolve: F) -> impl UserStore
where
    F: Fn(Lookup<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Resolution, StoreError>> + Send,
{
    StoreFn(resolve)
}

struct StoreFn<F>(F);

impl<F, Fut> UserStore for StoreFn<F>
where
    F: Fn(Lookup<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Resolution, StoreError>> + Send,
{
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        (self.0)(lookup.into_owned()).await
    }

    /// Does not call the closure, which may not expect the lookup of a readiness check.
    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

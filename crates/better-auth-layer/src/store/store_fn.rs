//! A store made of a closure.

use std::fmt;

use super::{Lookup, Resolution, StoreError, UserStore};

/// Makes a [`UserStore`] of an async closure: the shortest mock for a unit test.
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
pub fn store_fn<F, Fut>(resolve: F) -> StoreFn<F>
where
    F: Fn(Lookup<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Resolution, StoreError>> + Send,
{
    StoreFn { resolve }
}

/// The [`UserStore`] that [`store_fn`] makes.
#[derive(Clone)]
pub struct StoreFn<F> {
    resolve: F,
}

impl<F, Fut> UserStore for StoreFn<F>
where
    F: Fn(Lookup<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Resolution, StoreError>> + Send,
{
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        (self.resolve)(lookup.into_owned()).await
    }

    /// A closure is always there, and may not expect a probe's lookup.
    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl<F> fmt::Debug for StoreFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreFn(..)")
    }
}

//! The object-safe form of a store, so that neither the layer nor handlers carry a type parameter.

use std::pin::Pin;
use std::sync::Arc;

use super::{Lookup, LookupKind, Resolution, StoreError, UserStore};
use crate::clock::Timestamp;
use crate::diagnostics::Check;

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// [`UserStore`] with its futures boxed and owning what they need.
pub(crate) trait DynUserStore: Send + Sync + 'static {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>>;
    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution>;
    fn supports(&self, kind: LookupKind) -> bool;
    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>>;
    /// Never an error of its own; it has a place for that of whoever limits it.
    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>>;
    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>>;
}

impl<S: UserStore> DynUserStore for S {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>> {
        Box::pin(async move { UserStore::resolve(&*self, lookup).await })
    }

    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        UserStore::try_resolve(self, lookup)
    }

    fn supports(&self, kind: LookupKind) -> bool {
        UserStore::supports(self, kind)
    }

    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>> {
        Box::pin(async move { UserStore::ready(&*self).await })
    }

    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>> {
        Box::pin(async move { Ok(UserStore::diagnose(&*self).await) })
    }

    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>> {
        Box::pin(async move { UserStore::server_time(&*self).await })
    }
}

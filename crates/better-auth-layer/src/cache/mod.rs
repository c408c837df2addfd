//! Answers of a store, kept for a short while.

mod answer;
mod builder;
mod cached_store;
mod invalidation;
mod revocations;

pub use self::builder::CachedStoreBuilder;
pub use self::cached_store::CachedStore;
pub use self::invalidation::CacheInvalidator;
#[cfg(feature = "postgres")]
pub(crate) use self::invalidation::WeakCacheInvalidator;

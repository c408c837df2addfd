//! A cache of lookup results in front of a store.
//!
//! - An entry stores a result with the generation of revocations at which its lookup was
//!   sent. A revocation invalidates all entries of a user or session at once, without a search.
//! - A listener that reports revocations holds a lease, which it extends with every heartbeat. Once
//!   a cache has a listener, it returns entries only while the lease is active.
//! - Entries are stored in `quick_cache`: it is bounded, and a hit takes no exclusive lock.

mod builder;
mod cached_store;
mod entry;
mod invalidation;
mod revocations;

pub use self::builder::CachedStoreBuilder;
pub use self::cached_store::CachedStore;
pub use self::invalidation::CacheInvalidator;
#[cfg(feature = "postgres")]
pub(crate) use self::invalidation::WeakCacheInvalidator;

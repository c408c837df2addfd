//! Handles for the application and for listeners to invalidate cache entries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::revocations::{Revocations, Subject};

/// Invalidates entries of a [`CachedStore`](crate::cache::CachedStore); returned by
/// [`CachedStore::invalidator`](crate::cache::CachedStore::invalidator). Cheap to clone and to
/// call; never blocks.
///
/// Once a call has returned, results of lookups that were sent before the call are no longer used.
/// This holds for every lookup key, and for results that are still in flight. Therefore change the
/// database first, and call this after the commit.
///
/// ```
/// use better_auth_layer::cache::CacheInvalidator;
///
/// fn signed_out(cache: &CacheInvalidator, session_id: &str) {
///     cache.invalidate_session(session_id);
/// }
///
/// fn banned(cache: &CacheInvalidator, user_id: &str) {
///     cache.invalidate_user(user_id);
/// }
/// ```
///
/// # Listeners
///
/// A `PostgresListener` invalidates entries automatically. A custom listener calls
/// [`extend_lease`](Self::extend_lease) repeatedly while it is connected, and
/// [`end_lease`](Self::end_lease) when it is not. After the first of these calls, the cache uses
/// entries only while the lease is active, because unreported changes could make them stale.
#[derive(Clone)]
pub struct CacheInvalidator {
    revocations: Arc<Revocations>,
}

impl CacheInvalidator {
    pub(super) fn new(revocations: Arc<Revocations>) -> Self {
        Self { revocations }
    }

    /// Invalidates all entries of a user, including those of sessions and API keys.
    pub fn invalidate_user(&self, id: &str) {
        self.revocations.revoke(Subject::User(id));
    }

    /// Invalidates all entries of a session. Takes its id, not its token.
    pub fn invalidate_session(&self, id: &str) {
        self.revocations.revoke(Subject::Session(id));
    }

    /// Invalidates all entries.
    pub fn invalidate_all(&self) {
        self.revocations.revoke_all();
    }

    /// Declares that all changes are reported to this handle for a duration of the cache's clock.
    /// Invalidates all entries first if the lease was not active.
    ///
    /// While the lease is active, entries are valid for
    /// [`ttl_while_leased`](crate::cache::CachedStoreBuilder::ttl_while_leased). When it expires,
    /// every lookup goes to the store, so a listener that hangs causes no stale results.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::cache::CacheInvalidator;
    ///
    /// /// Called every second while the subscription is confirmed.
    /// fn heartbeat(cache: &CacheInvalidator) {
    ///     cache.extend_lease(Duration::from_secs(3));
    /// }
    /// ```
    pub fn extend_lease(&self, duration: Duration) {
        self.revocations.extend_lease(duration);
    }

    /// Ends the lease: every lookup goes to the store until the lease is extended again.
    pub fn end_lease(&self) {
        self.revocations.end_lease();
    }
}

#[cfg(feature = "postgres")]
impl CacheInvalidator {
    /// A handle that does not keep the cache alive.
    pub(crate) fn downgrade(&self) -> WeakCacheInvalidator {
        WeakCacheInvalidator(Arc::downgrade(&self.revocations))
    }
}

/// A handle that does not keep the cache alive.
#[cfg(feature = "postgres")]
pub(crate) struct WeakCacheInvalidator(std::sync::Weak<Revocations>);

#[cfg(feature = "postgres")]
impl WeakCacheInvalidator {
    /// Returns `None` if the cache and all strong handles have been dropped.
    pub(crate) fn upgrade(&self) -> Option<CacheInvalidator> {
        self.0.upgrade().map(CacheInvalidator::new)
    }
}

impl fmt::Debug for CacheInvalidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheInvalidator").finish_non_exhaustive()
    }
}

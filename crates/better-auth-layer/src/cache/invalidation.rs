//! Says what has changed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::revocations::{Concerned, Revocations};

/// Tells a [`CachedStore`](crate::cache::CachedStore) what has changed; made by
/// [`CachedStore::invalidator`](crate::cache::CachedStore::invalidator). Cheap to clone, cheap to call, never waits.
///
/// An answer to a question that was asked before the call is not given any more once the call has returned, by
/// whichever key it was found and even if it is still on its way from the store. So change the database first, and call
/// when the change is committed.
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
/// A `PostgresListener` does this by itself. One of your own says that it is there with
/// [`extend_lease`](Self::extend_lease), again and again, and [`end_lease`](Self::end_lease) when it is not.
/// From the first of these calls on, the cache answers only while a listener is there: what it has not heard of, it
/// cannot know to be true.
#[derive(Clone)]
pub struct CacheInvalidator {
    revocations: Arc<Revocations>,
}

impl CacheInvalidator {
    pub(super) fn new(revocations: Arc<Revocations>) -> Self {
        Self { revocations }
    }

    /// Forgets all that is known of a user: with every session and API key, by whichever key it was found.
    pub fn invalidate_user(&self, id: &str) {
        self.revocations.revoke(Concerned::User(id));
    }

    /// Forgets all that is known of a session, by its id (not its token).
    pub fn invalidate_session(&self, id: &str) {
        self.revocations.revoke(Concerned::Session(id));
    }

    /// Forgets everything.
    pub fn invalidate_all(&self) {
        self.revocations.revoke_all();
    }

    /// Promises that whatever changes from now on is told to this handle, until so much time has passed by the cache's
    /// clock or the promise is renewed. What was cached while no such promise was in force is forgotten first.
    ///
    /// While it is in force, answers are kept for
    /// [`ttl_while_leased`](crate::cache::CachedStoreBuilder::ttl_while_leased). When it has run out, every lookup goes
    /// to the store, so a listener that hangs does no harm.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::cache::CacheInvalidator;
    ///
    /// /// The subscription is confirmed, and says so every second.
    /// fn heartbeat(cache: &CacheInvalidator) {
    ///     cache.extend_lease(Duration::from_secs(3));
    /// }
    /// ```
    pub fn extend_lease(&self, duration: Duration) {
        self.revocations.promise(duration);
    }

    /// Takes the promise back: every lookup goes to the store until there is a new one.
    pub fn end_lease(&self) {
        self.revocations.break_promise();
    }
}

#[cfg(feature = "postgres")]
impl CacheInvalidator {
    /// A handle that does not count as one.
    pub(crate) fn downgrade(&self) -> WeakCacheInvalidator {
        WeakCacheInvalidator(Arc::downgrade(&self.revocations))
    }
}

/// A handle to a cache that may be gone.
#[cfg(feature = "postgres")]
pub(crate) struct WeakCacheInvalidator(std::sync::Weak<Revocations>);

#[cfg(feature = "postgres")]
impl WeakCacheInvalidator {
    /// `None` when the cache and all its handles are gone.
    pub(crate) fn upgrade(&self) -> Option<CacheInvalidator> {
        self.0.upgrade().map(CacheInvalidator::new)
    }
}

impl fmt::Debug for CacheInvalidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheInvalidator").finish_non_exhaustive()
    }
}

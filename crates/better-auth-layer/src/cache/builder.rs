//! The builder of [`CachedStore`], which bounds the lifetime and the number of entries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::cached_store::{CacheOptions, CachedStore, DEFAULT_MAX_ENTRIES};
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::store::UserStore;

/// The default lifetime of Better Auth's cookie cache.
const MAX_TTL: Duration = Duration::from_secs(5 * 60);

/// More entries would be a copy of the database.
const ENTRIES_LIMIT: usize = 10_000_000;

/// Configures a [`CachedStore`]; created by [`CachedStore::builder`].
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::{ConfigError, UserStore};
/// use better_auth_layer::cache::CachedStore;
///
/// fn cached<S: UserStore>(store: S) -> Result<CachedStore<S>, ConfigError> {
///     CachedStore::builder(store)
///         .max_entries(50_000)
///         .ttl(Duration::from_secs(2))
///         .build()
/// }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct CachedStoreBuilder<S> {
    store: S,
    options: CacheOptions,
    max_entries: usize,
    clock: Arc<dyn Clock>,
}

impl<S: UserStore> CachedStoreBuilder<S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            options: CacheOptions::DEFAULT,
            max_entries: DEFAULT_MAX_ENTRIES,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets the lifetime of an entry, measured from when its lookup was sent. An ended session or a
    /// banned user can remain active for this long. Default: 5 seconds; at most 5 minutes.
    ///
    /// Entries of API keys have this lifetime even with a listener, which does not report changes
    /// of API keys.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.options.ttl = ttl;
        self
    }

    /// Sets the lifetime of an entry while a listener, such as a `PostgresListener`, reports
    /// changes. Revocations then take effect at once; the lifetime is an additional safeguard.
    /// Default: 60 seconds; at most 5 minutes.
    pub fn ttl_while_leased(mut self, ttl: Duration) -> Self {
        self.options.ttl_while_leased = ttl;
        self
    }

    /// Refreshes an entry in the background if it is used within this time before it expires, so
    /// that requests of active users do not wait. Requires a Tokio runtime with a timer. Default:
    /// zero, which disables it.
    pub fn refresh_ahead(mut self, before: Duration) -> Self {
        self.options.refresh_ahead = before;
        self
    }

    /// Sets the maximum number of entries; the least used ones are evicted first. Default: 10,000,
    /// which takes about 8 MB.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Sets the clock, of which only the monotonic time is used. Default: the system clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the store.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a limit is zero or too large.
    pub fn build(self) -> Result<CachedStore<S>, ConfigError> {
        self.options.check()?;
        check_entries(self.max_entries)?;
        Ok(CachedStore::with(
            self.store,
            self.options,
            self.max_entries,
            self.clock,
        ))
    }
}

impl CacheOptions {
    fn check(&self) -> Result<(), ConfigError> {
        let ttls = [
            ("ttl", self.ttl),
            ("ttl_while_leased", self.ttl_while_leased),
        ];
        for (setting, ttl) in ttls {
            if ttl.is_zero() || ttl > MAX_TTL {
                return Err(ConfigError::new(
                    setting,
                    "is zero or longer than 5 minutes",
                    "use a few seconds, or no `CachedStore`: an ended session can remain active for this long",
                ));
            }
            if self.refresh_ahead >= ttl {
                return Err(ConfigError::new(
                    "refresh_ahead",
                    format!(
                        "is not shorter than `{setting}`, so every request would refresh the entry"
                    ),
                    "use a fraction of it, such as a fifth",
                ));
            }
        }
        Ok(())
    }
}

fn check_entries(max_entries: usize) -> Result<(), ConfigError> {
    if max_entries == 0 || max_entries > ENTRIES_LIMIT {
        return Err(ConfigError::new(
            "max_entries",
            format!("is zero or more than {ENTRIES_LIMIT}"),
            "use 10000, or no `CachedStore`",
        ));
    }
    Ok(())
}

impl<S> fmt::Debug for CachedStoreBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedStoreBuilder")
            .field("options", &self.options)
            .field("max_entries", &self.max_entries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests the check alone, because a cache of this size would need the memory.
    #[test]
    fn max_entries_is_bounded() {
        assert!(check_entries(10_000_000).is_ok());
        assert!(check_entries(10_000_001).is_err());
        assert!(check_entries(0).is_err());
    }
}

//! Configures a [`CachedStore`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::cached_store::{CachedStore, MAX_ENTRIES, Terms};
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::store::UserStore;

/// Better Auth's cookie cache is as old at most, and whoever wants more than that wants no sessions.
const LONGEST_TTL: Duration = Duration::from_secs(5 * 60);

/// More would be a copy of the database.
const MOST_ENTRIES: usize = 10_000_000;

/// Configures a [`CachedStore`]; made by [`CachedStore::builder`].
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
    terms: Terms,
    max_entries: usize,
    clock: Arc<dyn Clock>,
}

impl<S: UserStore> CachedStoreBuilder<S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            terms: Terms::DEFAULT,
            max_entries: MAX_ENTRIES,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets how long an answer is given again: this is how long a session may seem active after it has ended, and a
    /// user not banned. Counted from when the store was asked. Default: 5 seconds; at most 5 minutes.
    ///
    /// API keys are kept for this long also while a listener is there, which hears nothing of them.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.terms.ttl = ttl;
        self
    }

    /// Sets how long an answer is given again while a listener says what changes, such as a `PostgresListener`. A
    /// revocation takes effect at once then; this is a second net under it. Default: 60 seconds; at most 5 minutes.
    pub fn ttl_while_leased(mut self, ttl: Duration) -> Self {
        self.terms.ttl_while_leased = ttl;
        self
    }

    /// Asks the store again in the background for an answer that is given so shortly before it becomes too old, so that
    /// requests of busy users never wait. Default: zero, which is never. It needs a Tokio runtime with a timer.
    pub fn refresh_ahead(mut self, before: Duration) -> Self {
        self.terms.refresh_ahead = before;
        self
    }

    /// Sets how many answers are kept at most; those that are used least make room for others. Default: 10,000, which
    /// takes about 8 MB.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Sets the clock, of which the monotonic time counts here. The default is the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the store.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a limit is zero or too large.
    pub fn build(self) -> Result<CachedStore<S>, ConfigError> {
        self.terms.check()?;
        check_entries(self.max_entries)?;
        Ok(CachedStore::with(
            self.store,
            self.terms,
            self.max_entries,
            self.clock,
        ))
    }
}

impl Terms {
    fn check(&self) -> Result<(), ConfigError> {
        let ttls = [
            ("ttl", self.ttl),
            ("ttl_while_leased", self.ttl_while_leased),
        ];
        for (setting, ttl) in ttls {
            if ttl.is_zero() || ttl > LONGEST_TTL {
                return Err(ConfigError::new(
                    setting,
                    "is zero or longer than 5 minutes",
                    "use a few seconds, or no `CachedStore`: it is how long an ended session may seem active",
                ));
            }
            if self.refresh_ahead >= ttl {
                return Err(ConfigError::new(
                    "refresh_ahead",
                    format!(
                        "is not shorter than `{setting}`, so every request would ask the store"
                    ),
                    "use a part of it, such as a fifth",
                ));
            }
        }
        Ok(())
    }
}

fn check_entries(most: usize) -> Result<(), ConfigError> {
    if most == 0 || most > MOST_ENTRIES {
        return Err(ConfigError::new(
            "max_entries",
            format!("is zero or more than {MOST_ENTRIES}"),
            "use 10000, or no `CachedStore`",
        ));
    }
    Ok(())
}

impl<S> fmt::Debug for CachedStoreBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedStoreBuilder")
            .field("terms", &self.terms)
            .field("max_entries", &self.max_entries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody has to make room for so many to see that so many may be asked for.
    #[test]
    fn ten_million_answers_are_the_most() {
        assert!(check_entries(10_000_000).is_ok());
        assert!(check_entries(10_000_001).is_err());
        assert!(check_entries(0).is_err());
    }
}

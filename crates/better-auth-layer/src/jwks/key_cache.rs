//! The keys in use, and when to fetch them again.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::key_set::UsableKeys;
use super::{DynKeySource, JwksOptions, KeySourceError, VerificationKey};
use crate::clock::{Clock, Timestamp};
use crate::sync::{ArcSwapOption, Handle, Mutex, MutexGuard, oneshot, timeout, watch};
use crate::telemetry::meter;

/// Keys of a source, read without a lock and fetched by one task at a time.
///
/// The request that finds a key missing never fetches itself: it waits beside a task, which goes on if the request is
/// dropped. Requests with known keys wait for nothing.
pub(crate) struct KeyCache {
    source: Arc<dyn DynKeySource>,
    options: JwksOptions,
    clock: Arc<dyn Clock>,
    /// Keys that never change are never fetched.
    is_fixed: bool,
    snapshot: ArcSwapOption<Snapshot>,
    refresh: Mutex<Refresh>,
}

struct Snapshot {
    keys: UsableKeys,
    fetched_at: Duration,
}

#[derive(Default)]
struct Refresh {
    /// Closed when the task that runs has ended.
    running: Option<watch::Receiver<()>>,
    ended_at: Option<Duration>,
    failed: bool,
}

/// What is known of a key.
pub(crate) enum KeyLookup {
    /// It is in the set.
    Key(Arc<VerificationKey>),
    /// It is not in the set, which is fresh enough to say so.
    Unknown,
    /// Nobody can say.
    Unavailable,
    /// A fetch has begun that may bring it: [`KeyCache::wait`].
    Fetching(watch::Receiver<()>),
}

/// What a fetch has brought, and when.
pub(crate) struct Fetched {
    pub(crate) keys: usize,
    pub(crate) usable: usize,
    pub(crate) asked_at: Timestamp,
    /// What time it was at the issuer.
    pub(crate) said_at: Option<Timestamp>,
    pub(crate) answered_at: Timestamp,
}

/// No keys, and none to be had.
#[derive(Debug)]
pub(crate) struct KeysUnavailable;

impl KeyCache {
    pub(crate) fn new(
        source: Arc<dyn DynKeySource>,
        options: JwksOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let fixed = source.static_keys().map(|keys| Snapshot {
            keys: keys.usable(options.rsa_algorithm),
            fetched_at: Duration::ZERO,
        });
        Self {
            is_fixed: fixed.is_some(),
            snapshot: ArcSwapOption::new(fixed.map(Arc::new)),
            source,
            options,
            clock,
            refresh: Mutex::default(),
        }
    }

    /// Looks a key up without waiting. A set that is getting old is fetched again beside it.
    pub(crate) fn get(self: &Arc<Self>, kid: &str) -> KeyLookup {
        self.get_after(&self.snapshot.load(), kid)
    }

    /// As [`get`](Self::get), by a snapshot that was taken a moment ago.
    fn get_after(self: &Arc<Self>, taken: &Option<Arc<Snapshot>>, kid: &str) -> KeyLookup {
        let now = self.clock.monotonic();
        if let Some((snapshot, age)) = self.usable(taken.as_deref(), now) {
            if !self.is_fixed {
                meter::jwks_age(age);
            }
            if let Some(key) = snapshot.keys.get(kid) {
                if !self.is_fixed && age >= self.options.refresh_after {
                    self.begin(now);
                }
                return KeyLookup::Key(Arc::clone(key));
            }
            if self.is_fixed {
                return KeyLookup::Unknown;
            }
        }
        match self.begin(now) {
            Beginning::Runs(running) => KeyLookup::Fetching(running),
            // The fetch that it is too soon after may have ended since the snapshot was taken.
            Beginning::TooSoon { failed } => match self.fetched(kid, failed) {
                Ok(Some(key)) => KeyLookup::Key(key),
                Ok(None) => KeyLookup::Unknown,
                Err(KeysUnavailable) => KeyLookup::Unavailable,
            },
        }
    }

    /// Waits for the fetch that is under way and looks once more. `Ok(None)`: there is no such key.
    pub(crate) async fn wait(
        &self,
        mut running: watch::Receiver<()>,
        kid: &str,
    ) -> Result<Option<Arc<VerificationKey>>, KeysUnavailable> {
        // Nothing is ever sent; the channel is closed when the task has ended, in whichever way.
        while running.changed().await.is_ok() {}
        let failed = self.refresh().failed;
        self.fetched(kid, failed)
    }

    /// What the latest fetch, which may have failed, says of a key.
    fn fetched(
        &self,
        kid: &str,
        failed: bool,
    ) -> Result<Option<Arc<VerificationKey>>, KeysUnavailable> {
        let snapshot = self.snapshot.load();
        let (snapshot, _) = self
            .usable(snapshot.as_deref(), self.clock.monotonic())
            .ok_or(KeysUnavailable)?;
        match snapshot.keys.get(kid) {
            Some(key) => Ok(Some(Arc::clone(key))),
            None if failed => Err(KeysUnavailable),
            None => Ok(None),
        }
    }

    fn usable<'s>(
        &self,
        snapshot: Option<&'s Snapshot>,
        now: Duration,
    ) -> Option<(&'s Snapshot, Duration)> {
        let snapshot = snapshot?;
        let age = now.saturating_sub(snapshot.fetched_at);
        (self.is_fixed || age <= self.options.max_stale).then_some((snapshot, age))
    }

    /// Begins to fetch, unless somebody does already or the last time was too recent.
    fn begin(self: &Arc<Self>, now: Duration) -> Beginning {
        let mut refresh = self.refresh();
        if let Some(running) = &refresh.running {
            return Beginning::Runs(running.clone());
        }
        let pause = if refresh.failed {
            self.options.retry_after_failure
        } else {
            self.options.cooldown
        };
        if let Some(ended_at) = refresh.ended_at
            && now.saturating_sub(ended_at) < pause
        {
            return Beginning::TooSoon {
                failed: refresh.failed,
            };
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!("keys cannot be fetched outside a Tokio runtime");
            return Beginning::TooSoon { failed: true };
        };
        let (ended, running) = watch::channel(());
        refresh.running = Some(running.clone());
        drop(refresh);
        let fetch = Fetch::new(self, ended);
        runtime.spawn(async {
            if let Err(error) = fetch.run().await {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "public keys could not be fetched; those that are known go on serving for a while"
                );
            }
        });
        Beginning::Runs(running)
    }

    /// Fetches now, however short the last time is ago, and says what came of it. `None`: these keys never change.
    pub(crate) async fn check(self: &Arc<Self>) -> Result<Option<Fetched>, KeySourceError> {
        if self.is_fixed {
            return Ok(None);
        }
        loop {
            let (ended, running) = watch::channel(());
            let others = {
                let mut refresh = self.refresh();
                let others = refresh.running.clone();
                if others.is_none() {
                    refresh.running = Some(running);
                }
                others
            };
            // A source is never asked twice at the same time.
            let Some(mut others) = others else {
                let fetch = Fetch::new(self, ended);
                // Others wait for it, too: it goes on if this caller is gone, or busy elsewhere.
                let (tell, told) = oneshot::channel();
                Handle::current().spawn(async move {
                    let fetched = fetch.run().await;
                    let _ = tell.send(fetched);
                });
                let lost = |_| KeySourceError::new("the fetch has ended without an answer");
                return told.await.map_err(lost)?.map(Some);
            };
            while others.changed().await.is_ok() {}
        }
    }

    /// How many keys can be used just now.
    pub(crate) fn usable_keys(&self) -> usize {
        let snapshot = self.snapshot.load();
        let usable = self.usable(snapshot.as_deref(), self.clock.monotonic());
        usable.map_or(0, |(snapshot, _)| snapshot.keys.len())
    }

    async fn fetch(&self) -> Result<Fetched, KeySourceError> {
        let asked_at = self.clock.now();
        let fetch = Arc::clone(&self.source).fetch();
        let keys = timeout(self.options.fetch_timeout, fetch)
            .await
            .map_err(|_| KeySourceError::new("no answer in time"))??;
        let answered_at = self.clock.now();
        let usable = keys.usable(self.options.rsa_algorithm);
        if usable.len() == 0 {
            let cause = format!("none of the {} keys can be used", keys.len());
            return Err(KeySourceError::new(cause));
        }
        tracing::debug!(keys = usable.len(), "keys fetched");
        let fetched = Fetched {
            keys: keys.len(),
            usable: usable.len(),
            asked_at,
            said_at: keys.time_of_issuer(),
            answered_at,
        };
        self.snapshot.store(Some(Arc::new(Snapshot {
            keys: usable,
            fetched_at: self.clock.monotonic(),
        })));
        Ok(fetched)
    }

    fn refresh(&self) -> MutexGuard<'_, Refresh> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

enum Beginning {
    Runs(watch::Receiver<()>),
    TooSoon { failed: bool },
}

/// A fetch under way. Whatever becomes of it, also a panic of the source or the end of the runtime, those who wait are
/// woken and the next one may begin.
struct Fetch {
    cache: Arc<KeyCache>,
    succeeded: bool,
    _ended: watch::Sender<()>,
}

impl Fetch {
    fn new(cache: &Arc<KeyCache>, ended: watch::Sender<()>) -> Self {
        Self {
            cache: Arc::clone(cache),
            succeeded: false,
            _ended: ended,
        }
    }

    async fn run(mut self) -> Result<Fetched, KeySourceError> {
        let fetched = self.cache.fetch().await;
        self.succeeded = fetched.is_ok();
        fetched
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        let mut refresh = self.cache.refresh();
        refresh.running = None;
        refresh.ended_at = Some(self.cache.clock.monotonic());
        refresh.failed = !self.succeeded;
        drop(refresh);
        meter::jwks_fetched(self.succeeded);
        if self.succeeded {
            meter::jwks_age(Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::jwks::{KeySet, KeySource};

    /// One key, as if it came from far away.
    struct Remote;

    impl KeySource for Remote {
        async fn fetch(&self) -> Result<KeySet, KeySourceError> {
            r#"{"keys":[{"kid":"a","kty":"OKP","crv":"Ed25519",
                "x":"etqRjQJwpZj3YG-zn0dQBWe-1pdN0ax3Z0fOOzN5Flo"}]}"#
                .parse()
        }
    }

    /// Between a look at the snapshot and the decision whether to fetch, another thread's fetch may begin and end.
    #[test]
    fn a_fetch_that_ended_a_moment_ago_counts() {
        let clock = Arc::new(SystemClock);
        let cache = Arc::new(KeyCache::new(Arc::new(Remote), JwksOptions::new(), clock));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let before = cache.snapshot.load_full();
            let KeyLookup::Fetching(running) = cache.get("a") else {
                panic!("there are no keys yet");
            };
            assert!(matches!(cache.wait(running, "a").await, Ok(Some(_))));
            let lookup = |kid| cache.get_after(&before, kid);
            assert!(matches!(lookup("a"), KeyLookup::Key(_)));
            assert!(matches!(lookup("b"), KeyLookup::Unknown));
        });
    }
}

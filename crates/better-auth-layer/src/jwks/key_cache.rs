//! The cache of public keys, and when it fetches them.
//!
//! A cooldown on the monotonic clock limits how often clients can cause fetches. After a failed fetch
//! the cooldown is shorter, and an unknown `kid` is reported as unavailable (503) instead of invalid
//! (401), because the issuer may have published the key.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::key_set::UsableKeys;
use super::{DynKeySource, JwksOptions, KeySourceError, VerificationKey};
use crate::clock::{Clock, Timestamp};
use crate::sync::{ArcSwapOption, Handle, Mutex, MutexGuard, oneshot, timeout, watch};
use crate::telemetry::metrics;

/// Caches the keys of a source: reads take no lock, and one task at a time fetches.
///
/// A request whose key is missing waits for that task instead of fetching, so the fetch continues
/// if the request is dropped. Requests with cached keys never wait.
pub(crate) struct KeyCache {
    source: Arc<dyn DynKeySource>,
    options: JwksOptions,
    clock: Arc<dyn Clock>,
    /// Static keys are never fetched.
    is_static: bool,
    snapshot: ArcSwapOption<Snapshot>,
    refresh: Mutex<Refresh>,
}

struct Snapshot {
    keys: UsableKeys,
    fetched_at: Duration,
}

#[derive(Default)]
struct Refresh {
    running: Option<KeyFetch>,
    ended_at: Option<Duration>,
    failed: bool,
}

/// Why the cache returned no key.
pub(crate) enum KeyError {
    /// The current key set does not contain the `kid`.
    Unknown,
    /// There is no current key set.
    Unavailable,
    /// A fetch is in progress that may bring the key. The cooldown after the fetch makes the next
    /// lookup final.
    Pending(KeyFetch),
}

/// A fetch in progress. Its channel carries no values and closes when the fetch ends.
#[derive(Clone)]
pub(crate) struct KeyFetch(watch::Receiver<()>);

impl KeyFetch {
    /// Waits until the fetch has ended, successfully or not.
    pub(crate) async fn finished(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// The cooldown after a fetch has not passed.
struct CoolingDown {
    last_failed: bool,
}

/// The result of a fetch for diagnostics.
pub(crate) struct FetchReport {
    pub(crate) keys: usize,
    pub(crate) usable: usize,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    /// The issuer's clock.
    pub(crate) server_time: Option<Timestamp>,
}

impl KeyCache {
    pub(crate) fn new(
        source: Arc<dyn DynKeySource>,
        options: JwksOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let snapshot = source.static_keys().map(|keys| Snapshot {
            keys: keys.usable(options.rsa_algorithm),
            fetched_at: Duration::ZERO,
        });
        Self {
            is_static: snapshot.is_some(),
            snapshot: ArcSwapOption::new(snapshot.map(Arc::new)),
            source,
            options,
            clock,
            refresh: Mutex::default(),
        }
    }

    /// Looks a key up without waiting. Starts a background fetch if the set is old or does not
    /// contain the key.
    pub(crate) fn get(self: &Arc<Self>, kid: &str) -> Result<Arc<VerificationKey>, KeyError> {
        self.get_from(&self.snapshot.load(), kid)
    }

    fn get_from(
        self: &Arc<Self>,
        snapshot: &Option<Arc<Snapshot>>,
        kid: &str,
    ) -> Result<Arc<VerificationKey>, KeyError> {
        let now = self.clock.monotonic();
        if let Some((snapshot, age)) = self.usable(snapshot.as_deref(), now) {
            if !self.is_static {
                metrics::record_key_age(age);
            }
            if let Some(key) = snapshot.keys.get(kid) {
                if !self.is_static && age >= self.options.refresh_after {
                    let _ = self.begin_fetch(now);
                }
                return Ok(Arc::clone(key));
            }
            if self.is_static {
                return Err(KeyError::Unknown);
            }
        }
        match self.begin_fetch(now) {
            Ok(fetch) => Err(KeyError::Pending(fetch)),
            // Another thread's fetch may have ended after `snapshot` was loaded.
            Err(CoolingDown { last_failed }) => self.get_after_fetch(kid, last_failed),
        }
    }

    fn get_after_fetch(
        &self,
        kid: &str,
        last_failed: bool,
    ) -> Result<Arc<VerificationKey>, KeyError> {
        let snapshot = self.snapshot.load();
        let (snapshot, _) = self
            .usable(snapshot.as_deref(), self.clock.monotonic())
            .ok_or(KeyError::Unavailable)?;
        match snapshot.keys.get(kid) {
            Some(key) => Ok(Arc::clone(key)),
            None if last_failed => Err(KeyError::Unavailable),
            None => Err(KeyError::Unknown),
        }
    }

    fn usable<'s>(
        &self,
        snapshot: Option<&'s Snapshot>,
        now: Duration,
    ) -> Option<(&'s Snapshot, Duration)> {
        let snapshot = snapshot?;
        let age = now.saturating_sub(snapshot.fetched_at);
        (self.is_static || age <= self.options.max_stale).then_some((snapshot, age))
    }

    /// Starts a fetch, or joins the one in progress.
    fn begin_fetch(self: &Arc<Self>, now: Duration) -> Result<KeyFetch, CoolingDown> {
        let mut refresh = self.refresh();
        if let Some(running) = &refresh.running {
            return Ok(running.clone());
        }
        let last_failed = refresh.failed;
        let cooldown = if last_failed {
            self.options.retry_after_failure
        } else {
            self.options.cooldown
        };
        if let Some(ended_at) = refresh.ended_at
            && now.saturating_sub(ended_at) < cooldown
        {
            return Err(CoolingDown { last_failed });
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!("public keys cannot be fetched outside a Tokio runtime");
            return Err(CoolingDown { last_failed: true });
        };
        let (task, running) = self.fetch_task(&mut refresh);
        drop(refresh);
        runtime.spawn(async {
            if let Err(error) = task.run().await {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "public keys could not be fetched; cached keys remain in use for a limited time"
                );
            }
        });
        Ok(running)
    }

    /// Fetches regardless of the cooldown. Returns `None` for static keys.
    pub(crate) async fn diagnose(self: &Arc<Self>) -> Result<Option<FetchReport>, KeySourceError> {
        if self.is_static {
            return Ok(None);
        }
        loop {
            let (running, task) = {
                let mut refresh = self.refresh();
                match refresh.running.clone() {
                    Some(running) => (running, None),
                    None => {
                        let (task, running) = self.fetch_task(&mut refresh);
                        (running, Some(task))
                    }
                }
            };
            let Some(task) = task else {
                running.finished().await;
                continue;
            };
            // Requests may wait for this fetch as well, so it must not end with this future.
            let (sender, receiver) = oneshot::channel();
            Handle::current().spawn(async move {
                let report = task.run().await;
                let _ = sender.send(report);
            });
            let lost = |_| KeySourceError::new("the fetch ended without a result");
            return receiver.await.map_err(lost)?.map(Some);
        }
    }

    fn fetch_task(self: &Arc<Self>, refresh: &mut Refresh) -> (FetchTask, KeyFetch) {
        let (ended, receiver) = watch::channel(());
        let running = KeyFetch(receiver);
        refresh.running = Some(running.clone());
        let task = FetchTask {
            cache: Arc::clone(self),
            succeeded: false,
            _ended: ended,
        };
        (task, running)
    }

    /// The number of keys that can be used now.
    pub(crate) fn usable_keys(&self) -> usize {
        let snapshot = self.snapshot.load();
        let usable = self.usable(snapshot.as_deref(), self.clock.monotonic());
        usable.map_or(0, |(snapshot, _)| snapshot.keys.len())
    }

    async fn fetch(&self) -> Result<FetchReport, KeySourceError> {
        let started_at = self.clock.now();
        let fetch = Arc::clone(&self.source).fetch();
        let keys = timeout(self.options.fetch_timeout, fetch)
            .await
            .map_err(|_| KeySourceError::new("the fetch timed out"))??;
        let finished_at = self.clock.now();
        let usable = keys.usable(self.options.rsa_algorithm);
        if usable.len() == 0 {
            let cause = format!("none of the {} keys can be used", keys.len());
            return Err(KeySourceError::new(cause));
        }
        tracing::debug!(keys = usable.len(), "public keys fetched");
        let report = FetchReport {
            keys: keys.len(),
            usable: usable.len(),
            started_at,
            finished_at,
            server_time: self.source.server_time(),
        };
        self.snapshot.store(Some(Arc::new(Snapshot {
            keys: usable,
            fetched_at: self.clock.monotonic(),
        })));
        Ok(report)
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

/// The task of a fetch. Dropping it wakes the waiting requests and allows the next fetch, also if
/// the source panics or the runtime shuts down.
struct FetchTask {
    cache: Arc<KeyCache>,
    succeeded: bool,
    _ended: watch::Sender<()>,
}

impl FetchTask {
    async fn run(mut self) -> Result<FetchReport, KeySourceError> {
        let report = self.cache.fetch().await;
        self.succeeded = report.is_ok();
        report
    }
}

impl Drop for FetchTask {
    fn drop(&mut self) {
        let mut refresh = self.cache.refresh();
        refresh.running = None;
        refresh.ended_at = Some(self.cache.clock.monotonic());
        refresh.failed = !self.succeeded;
        drop(refresh);
        metrics::record_key_fetch(self.succeeded);
        if self.succeeded {
            metrics::record_key_age(Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::jwks::{KeySet, KeySource};

    struct Remote;

    impl KeySource for Remote {
        async fn fetch(&self) -> Result<KeySet, KeySourceError> {
            r#"{"keys":[{"kid":"a","kty":"OKP","crv":"Ed25519",
                "x":"etqRjQJwpZj3YG-zn0dQBWe-1pdN0ax3Z0fOOzN5Flo"}]}"#
                .parse()
        }
    }

    /// Another thread's fetch may begin and end between loading the snapshot and `begin_fetch`.
    #[test]
    fn fetch_that_just_ended_is_used() {
        let clock = Arc::new(SystemClock);
        let cache = Arc::new(KeyCache::new(Arc::new(Remote), JwksOptions::new(), clock));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let before = cache.snapshot.load_full();
            let Err(KeyError::Pending(fetch)) = cache.get("a") else {
                panic!("no keys are cached yet");
            };
            fetch.finished().await;
            assert!(cache.get("a").is_ok());
            let lookup = |kid| cache.get_from(&before, kid);
            assert!(lookup("a").is_ok());
            assert!(matches!(lookup("b"), Err(KeyError::Unknown)));
        });
    }
}

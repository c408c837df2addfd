//! Readers of a key cache that wait or are dropped, and fetches that fail, panic, time out or end
//! with their runtime.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};

use crate::clock::{ModelClock, Timestamp};
use crate::jwks::key_cache::{KeyCache, KeyError};
use crate::jwks::key_set::{KeySet, ROTATED};
use crate::jwks::{DynKeySource, JwksOptions, KeySourceError};
use crate::runtime::{End, Handle, Task, panic_here};
use crate::sightings::saw;
use crate::store::user_store::BoxFuture;
use crate::sync::{advance, below, one_in, time};

pub(crate) const MUST_SEE: &[&str] = &[
    "fetched",
    "failed",
    "panicked",
    "given up",
    "runtime ended",
    "reader left",
    "found at once",
    "found after a wait",
    "unknown",
    "unavailable",
    "second key found",
];

const COOLDOWN: Duration = Duration::from_millis(30);
const RETRY_AFTER_FAILURE: Duration = Duration::from_millis(10);

/// The end of the latest fetch.
struct FetchEnd {
    at: Duration,
    succeeded: bool,
}

/// Each fetch returns its number as the key set.
struct Source {
    in_flight: AtomicUsize,
    fetches: AtomicU64,
    ended: Mutex<Option<FetchEnd>>,
    is_reliable: bool,
    /// The newest set that a reader has used.
    seen: AtomicU64,
}

struct Fetching {
    source: Arc<Source>,
    is_complete: bool,
    succeeded: bool,
}

impl Drop for Fetching {
    fn drop(&mut self) {
        *self.source.ended.lock().unwrap() = Some(FetchEnd {
            at: time(),
            succeeded: self.succeeded,
        });
        self.source.in_flight.fetch_sub(1, Ordering::SeqCst);
        if !self.is_complete {
            saw("given up");
        }
    }
}

impl Source {
    fn new(is_reliable: bool) -> Arc<Self> {
        Arc::new(Self {
            in_flight: AtomicUsize::new(0),
            fetches: AtomicU64::new(0),
            ended: Mutex::default(),
            is_reliable,
            seen: AtomicU64::new(0),
        })
    }

    fn begin(self: &Arc<Self>) -> Fetching {
        assert_eq!(
            self.in_flight.fetch_add(1, Ordering::SeqCst),
            0,
            "two fetches at once"
        );
        if let Some(ended) = &*self.ended.lock().unwrap() {
            let pause = match ended.succeeded {
                true => COOLDOWN,
                false => RETRY_AFTER_FAILURE,
            };
            assert!(time() >= ended.at + pause, "too soon after the last fetch");
        }
        Fetching {
            source: Arc::clone(self),
            is_complete: false,
            succeeded: false,
        }
    }
}

impl DynKeySource for Source {
    fn fetch(self: Arc<Self>) -> BoxFuture<Result<KeySet, KeySourceError>> {
        Box::pin(async move {
            let mut fetching = self.begin();
            let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            for _ in 0..below(3) {
                yield_now().await;
            }
            if !self.is_reliable && one_in(8) {
                saw("panicked");
                fetching.is_complete = true;
                panic_here::<()>().await;
            }
            fetching.is_complete = true;
            if !self.is_reliable && one_in(4) {
                saw("failed");
                return Err(KeySourceError);
            }
            saw("fetched");
            fetching.succeeded = true;
            Ok(KeySet(number))
        })
    }

    fn static_keys(&self) -> Option<KeySet> {
        None
    }

    fn server_time(&self) -> Option<Timestamp> {
        None
    }
}

fn cache(source: &Arc<Source>) -> Arc<KeyCache> {
    let options = JwksOptions {
        refresh_after: Duration::from_millis(50),
        max_stale: Duration::from_millis(500),
        cooldown: COOLDOWN,
        retry_after_failure: RETRY_AFTER_FAILURE,
        fetch_timeout: Duration::from_millis(5),
        rsa_algorithm: None,
    };
    Arc::new(KeyCache::new(source.clone(), options, Arc::new(ModelClock)))
}

/// Looks keys up. No lookup may return an older set than an earlier lookup of any reader.
async fn read(cache: Arc<KeyCache>, source: Arc<Source>) {
    for _ in 0..3 {
        let kid = ["first", "first", "second", "third"][below(4) as usize];
        let seen = source.seen.load(Ordering::SeqCst);
        let mut found = cache.get(kid);
        let mut waited = false;
        if let Err(KeyError::Pending(fetch)) = found {
            fetch.finished().await;
            waited = true;
            found = cache.get(kid);
        }
        match found {
            Ok(key) => {
                assert!(key.set >= seen, "an older set after a newer one");
                source.seen.fetch_max(key.set, Ordering::SeqCst);
                saw(if waited {
                    "found after a wait"
                } else {
                    "found at once"
                });
                if kid == "second" {
                    saw("second key found");
                }
            }
            Err(KeyError::Unknown) => {
                assert_ne!(kid, "first", "every set has it");
                assert!(
                    kid == "third" || seen < ROTATED,
                    "an older set after a newer one"
                );
                saw("unknown");
            }
            Err(KeyError::Unavailable) => saw("unavailable"),
            // Only if the cooldown has passed since the fetch, which `Source::begin` asserts.
            Err(KeyError::Pending(_)) => saw("pending again"),
        }
        yield_now().await;
    }
}

pub(crate) fn readers_wait_or_are_dropped() {
    block_on(async {
        let source = Source::new(one_in(4));
        let cache = cache(&source);
        let runtimes = [Handle::default(), Handle::default()];
        let may_end = one_in(3);
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let runtime = &runtimes[below(2) as usize];
                let leaves = one_in(4);
                let mut task = Task::on(runtime, read(cache.clone(), source.clone()));
                if leaves {
                    task = task.for_at_most(1 + below(3));
                }
                spawn(async move { (leaves, task.await) })
            })
            .collect();
        let [ends, alive] = runtimes;
        let time = spawn(async move {
            for _ in 0..4 {
                for _ in 0..below(6) {
                    yield_now().await;
                }
                advance(Duration::from_millis([10, 15, 30, 60][below(4) as usize]));
            }
            if may_end {
                ends.end();
                saw("runtime ended");
            }
        });
        for reader in readers {
            // The scheduler detects a reader that waits forever.
            match reader.await.unwrap() {
                (_, End::Done(())) => {}
                (leaves, End::Left) => {
                    assert!(leaves || may_end);
                    saw("reader left");
                }
                (_, End::Panicked) => panic!("a panic of the source reached a reader"),
            }
        }
        time.await.unwrap();
        next_fetch_starts(&cache, &source, &alive).await;
    });
}

/// After any failure, another fetch can start after the cooldown.
async fn next_fetch_starts(cache: &Arc<KeyCache>, source: &Arc<Source>, runtime: &Handle) {
    let before = source.fetches.load(Ordering::SeqCst);
    let mut tries = 0;
    while source.fetches.load(Ordering::SeqCst) < before + 2 {
        tries += 1;
        assert!(tries < 100, "no fetch starts");
        advance(COOLDOWN);
        let cache = cache.clone();
        let task = Task::on(runtime, async move {
            if let Err(KeyError::Pending(fetch)) = cache.get("unknown") {
                fetch.finished().await;
            }
        });
        assert_eq!(spawn(task).await.unwrap(), End::Done(()));
    }
}

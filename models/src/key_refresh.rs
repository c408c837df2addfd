//! Readers of a key cache who wait or leave, and fetches that fail, panic, take too long or end with their runtime.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};

use crate::clock::ModelClock;
use crate::jwks::key_cache::{KeyCache, KeyLookup};
use crate::jwks::key_set::{KeySet, ROTATED};
use crate::jwks::{DynKeySource, JwksOptions, KeySourceError};
use crate::runtime::{End, Handle, Task, panic_here};
use crate::sightings::saw;
use crate::store::erased::BoxFuture;
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

/// How the latest fetch ended, and when.
struct SessionEnded {
    at: Duration,
    succeeded: bool,
}

/// The keys of each fetch have its number.
struct Source {
    under_way: AtomicUsize,
    fetches: AtomicU64,
    ended: Mutex<Option<SessionEnded>>,
    is_reliable: bool,
    /// The latest set that a reader has seen.
    seen: AtomicU64,
}

struct Fetching {
    source: Arc<Source>,
    is_through: bool,
    succeeded: bool,
}

impl Drop for Fetching {
    fn drop(&mut self) {
        *self.source.ended.lock().unwrap() = Some(SessionEnded {
            at: time(),
            succeeded: self.succeeded,
        });
        self.source.under_way.fetch_sub(1, Ordering::SeqCst);
        if !self.is_through {
            saw("given up");
        }
    }
}

impl Source {
    fn new(is_reliable: bool) -> Arc<Self> {
        Arc::new(Self {
            under_way: AtomicUsize::new(0),
            fetches: AtomicU64::new(0),
            ended: Mutex::default(),
            is_reliable,
            seen: AtomicU64::new(0),
        })
    }

    fn begin(self: &Arc<Self>) -> Fetching {
        assert_eq!(
            self.under_way.fetch_add(1, Ordering::SeqCst),
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
            is_through: false,
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
                fetching.is_through = true;
                panic_here::<()>().await;
            }
            fetching.is_through = true;
            if !self.is_reliable && one_in(4) {
                saw("failed");
                return Err(KeySourceError);
            }
            saw("fetched");
            fetching.succeeded = true;
            Ok(KeySet(number))
        })
    }

    fn fixed(&self) -> Option<KeySet> {
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

/// Looks a key up, several times, and never sees an older set than anybody saw before.
async fn read(cache: Arc<KeyCache>, source: Arc<Source>) {
    for _ in 0..3 {
        let kid = ["first", "first", "second", "third"][below(4) as usize];
        let seen = source.seen.load(Ordering::SeqCst);
        let (waited, found) = match cache.get(kid) {
            KeyLookup::Key(key) => (false, Ok(Some(key))),
            KeyLookup::Unknown => (false, Ok(None)),
            KeyLookup::Unavailable => {
                saw("unavailable");
                continue;
            }
            KeyLookup::Fetching(running) => (true, cache.wait(running, kid).await),
        };
        match found {
            Ok(Some(key)) => {
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
            Ok(None) => {
                assert_ne!(kid, "first", "every set has it");
                assert!(
                    kid == "third" || seen < ROTATED,
                    "an older set after a newer one"
                );
                saw("unknown");
            }
            Err(_) => saw("unavailable"),
        }
        yield_now().await;
    }
}

pub(crate) fn readers_come_and_leave() {
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
        let [ends, goes_on] = runtimes;
        let time_goes_on = spawn(async move {
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
            // Who waits for ever here is found by the scheduler.
            match reader.await.unwrap() {
                (_, End::Done(())) => {}
                (leaves, End::Left) => {
                    assert!(leaves || may_end);
                    saw("reader left");
                }
                (_, End::Panicked) => panic!("a fetch is a task of its own"),
            }
        }
        time_goes_on.await.unwrap();
        keys_can_be_had(&cache, &source, &goes_on).await;
    });
}

/// Whatever became of the fetches before, another one may begin after a while.
async fn keys_can_be_had(cache: &Arc<KeyCache>, source: &Arc<Source>, runtime: &Handle) {
    let before = source.fetches.load(Ordering::SeqCst);
    let mut tries = 0;
    while source.fetches.load(Ordering::SeqCst) < before + 2 {
        tries += 1;
        assert!(tries < 100, "no fetch begins any more");
        advance(COOLDOWN);
        let cache = cache.clone();
        let task = Task::on(runtime, async move {
            if let KeyLookup::Fetching(running) = cache.get("nobody's") {
                let _ = cache.wait(running, "nobody's").await;
            }
        });
        assert_eq!(spawn(task).await.unwrap(), End::Done(()));
    }
}

//! Requests of a single flight that wait, are dropped, panic or are no longer polled.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};

use crate::clock::Timestamp;
use crate::diagnostics::Check;
use crate::runtime::{End, Handle, Task, panic_here};
use crate::sightings::saw;
use crate::store::single_flight::SingleFlight;
use crate::store::user_store::BoxFuture;
use crate::store::{DynUserStore, Lookup, LookupKind, Resolution, StoreError, StoreErrorKind};
use crate::sync::{advance, below, one_in};

const REQUEST_COUNT: u32 = 5;
const KEYS: u32 = 2;
const LOOKUP_TIMEOUT: Duration = Duration::from_millis(100);

pub(crate) const REQUESTS: &[&str] = &[
    "answered",
    "result shared",
    "failure shared",
    "dropped",
    "panicked",
];
pub(crate) const STALLED: &[&str] = &["answered", "dropped", "leader replaced"];

/// A total order of events.
#[derive(Default)]
struct Order(AtomicU64);

impl Order {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Reads at once, and returns the result later, fails or panics.
struct Store {
    order: Arc<Order>,
    is_reliable: AtomicBool,
    lookups: AtomicUsize,
    /// Lookups in flight for each key, without stalled ones.
    in_flight: [AtomicUsize; KEYS as usize],
    /// Positions of the reads whose results have been returned.
    returned: Mutex<Vec<u64>>,
}

struct InFlight<'s>(&'s AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Store {
    fn new(is_reliable: bool) -> Arc<Self> {
        Arc::new(Self {
            order: Arc::default(),
            is_reliable: AtomicBool::new(is_reliable),
            lookups: AtomicUsize::new(0),
            in_flight: Default::default(),
            returned: Mutex::default(),
        })
    }

    fn begin(&self, key: u32) -> InFlight<'_> {
        let in_flight = &self.in_flight[key as usize];
        let before = in_flight.fetch_add(1, Ordering::SeqCst);
        assert_eq!(before, 0, "two lookups of a key are in flight");
        InFlight(in_flight)
    }
}

impl DynUserStore for Store {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>> {
        Box::pin(async move {
            self.lookups.fetch_add(1, Ordering::SeqCst);
            if lookup.is_stalled {
                return std::future::pending().await;
            }
            let _in_flight = self.begin(lookup.key);
            let read_at = self.order.next();
            for _ in 0..below(3) {
                yield_now().await;
            }
            let is_reliable = self.is_reliable.load(Ordering::SeqCst);
            if !is_reliable && one_in(6) {
                panic_here::<()>().await;
            }
            if !is_reliable && one_in(6) {
                return Err(StoreErrorKind::Failed(read_at).into());
            }
            Ok(Resolution {
                key: lookup.key,
                now: lookup.now(),
                read_at,
            })
        })
    }

    fn try_resolve(&self, _: &Lookup<'_>) -> Option<Resolution> {
        None
    }

    fn supports(&self, _: LookupKind) -> bool {
        true
    }

    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>> {
        unreachable!("no model runs diagnostics")
    }

    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>> {
        unreachable!("no model reads the time of the server")
    }
}

/// Runs a lookup and checks that the result matches it.
async fn call(single_flight: Arc<dyn DynUserStore>, store: Arc<Store>, key: u32) {
    let arrived_at = store.order.next();
    let now = Timestamp(u64::from(below(4)));
    let result = single_flight.resolve(Lookup::new(key, now)).await;
    let read_at = match &result {
        Ok(found) => {
            assert_eq!(found.key, key, "the result of another lookup");
            assert!(found.now >= now, "a lookup with an earlier time");
            saw("answered");
            found.read_at
        }
        Err(StoreError(StoreErrorKind::Failed(began_at))) => {
            saw("failed");
            *began_at
        }
        Err(StoreError(StoreErrorKind::Unavailable)) => panic!("a missing result"),
    };
    assert!(read_at > arrived_at, "a result older than the request");
    let mut returned = store.returned.lock().unwrap();
    if returned.contains(&read_at) {
        saw(match result {
            Ok(_) => "result shared",
            Err(_) => "failure shared",
        });
    }
    returned.push(read_at);
}

pub(crate) fn requests_wait_or_are_dropped() {
    block_on(async {
        let store = Store::new(false);
        let single_flight = SingleFlight::around(store.clone(), LOOKUP_TIMEOUT);
        let runtime = Handle::default();
        let requests: Vec<_> = (0..REQUEST_COUNT)
            .map(|_| {
                let mut task = Task::on(
                    &runtime,
                    call(single_flight.clone(), store.clone(), below(KEYS)),
                );
                let stays = !one_in(3);
                if !stays {
                    task = task.for_at_most(1 + below(3));
                }
                spawn(async move { (stays, task.await) })
            })
            .collect();
        for request in requests {
            // The scheduler detects a request that waits forever.
            match request.await.unwrap() {
                (_, End::Done(())) => {}
                (_, End::Panicked) => saw("panicked"),
                (stays, End::Left) => {
                    assert!(!stays);
                    saw("dropped");
                }
            }
        }
        all_state_is_released(single_flight, store).await;
    });
}

/// The leader is never polled again. After the timeout, another request replaces it.
pub(crate) fn stalled_leader_is_replaced() {
    block_on(async {
        let store = Store::new(true);
        let single_flight = SingleFlight::around(store.clone(), LOOKUP_TIMEOUT);
        let runtime = Handle::default();
        let mut lookup = Lookup::new(0, Timestamp(0));
        lookup.is_stalled = true;
        let mut stalled = single_flight.clone().resolve(lookup);
        std::future::poll_fn(|cx| {
            assert!(stalled.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        let request = || call(single_flight.clone(), store.clone(), 0);
        // Followers of the stalled leader.
        let followers: Vec<_> = (0..2)
            .map(|_| {
                let task = Task::on(&runtime, request());
                spawn(if one_in(2) { task.for_at_most(1) } else { task })
            })
            .collect();
        for _ in 0..below(6) {
            yield_now().await;
        }
        advance(LOOKUP_TIMEOUT);
        let others: Vec<_> = (0..3)
            .map(|_| spawn(Task::on(&runtime, request())))
            .collect();
        // The stalled request is dropped at any time, or at the end.
        let (kept, dropping) = if one_in(2) {
            (Some(stalled), None)
        } else {
            let dropping = spawn(async move {
                for _ in 0..below(8) {
                    yield_now().await;
                }
                drop(stalled);
            });
            (None, Some(dropping))
        };
        for other in others {
            assert_eq!(other.await.unwrap(), End::Done(()));
        }
        saw("leader replaced");
        for follower in followers {
            match follower.await.unwrap() {
                End::Left => saw("dropped"),
                end => assert_eq!(end, End::Done(())),
            }
        }
        drop(kept);
        if let Some(dropping) = dropping {
            dropping.await.unwrap();
        }
        all_state_is_released(single_flight, store).await;
    });
}

/// No lookup remains in flight, and the store has no other owner.
async fn all_state_is_released(single_flight: Arc<dyn DynUserStore>, store: Arc<Store>) {
    store.is_reliable.store(true, Ordering::SeqCst);
    for key in 0..KEYS {
        let before = store.lookups.load(Ordering::SeqCst);
        let task = Task::on(
            &Handle::default(),
            call(single_flight.clone(), store.clone(), key),
        );
        assert_eq!(task.await, End::Done(()));
        assert_eq!(store.lookups.load(Ordering::SeqCst), before + 1);
    }
    drop(single_flight);
    assert_eq!(
        Arc::strong_count(&store),
        1,
        "leaders and followers own each other"
    );
}

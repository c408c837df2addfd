//! Callers of a single flight who wait, leave, panic or are forgotten.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};

use crate::clock::Timestamp;
use crate::diagnostics::Check;
use crate::runtime::{End, Handle, Task, panic_here};
use crate::sightings::saw;
use crate::store::erased::BoxFuture;
use crate::store::single_flight::SingleFlight;
use crate::store::{DynUserStore, Lookup, LookupKind, Resolution, StoreError, StoreErrorKind};
use crate::sync::{advance, below, one_in};

const CALLERS: u32 = 5;
const QUESTIONS: u32 = 2;
const LONGEST_TURN: Duration = Duration::from_millis(100);

pub(crate) const COMING_AND_LEAVING: &[&str] = &[
    "answered",
    "answer shared",
    "failure shared",
    "left",
    "panicked",
];
pub(crate) const FORGOTTEN: &[&str] = &["answered", "left", "turn taken over"];

/// Puts everything that happens in an order.
#[derive(Default)]
struct Order(AtomicU64);

impl Order {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Reads when it is asked, and answers later, fails or panics.
struct Store {
    order: Arc<Order>,
    is_reliable: AtomicBool,
    lookups: AtomicUsize,
    /// For each question, how many ask it just now who have not been forgotten.
    asking: [AtomicUsize; QUESTIONS as usize],
    /// When the answers that somebody has were read.
    given: Mutex<Vec<u64>>,
}

struct Asking<'s>(&'s AtomicUsize);

impl Drop for Asking<'_> {
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
            asking: Default::default(),
            given: Mutex::default(),
        })
    }

    fn begin(&self, key: u32) -> Asking<'_> {
        let asking = &self.asking[key as usize];
        let before = asking.fetch_add(1, Ordering::SeqCst);
        assert_eq!(before, 0, "a question is asked twice at the same time");
        Asking(asking)
    }
}

impl DynUserStore for Store {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>> {
        Box::pin(async move {
            self.lookups.fetch_add(1, Ordering::SeqCst);
            if lookup.is_forgotten {
                return std::future::pending().await;
            }
            let _asking = self.begin(lookup.key);
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
        unreachable!("nobody examines the store")
    }

    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>> {
        unreachable!("nobody asks for the store's time")
    }
}

/// Asks and holds the answer against the question.
async fn call(flights: Arc<dyn DynUserStore>, store: Arc<Store>, key: u32) {
    let came_at = store.order.next();
    let now = Timestamp(u64::from(below(4)));
    let answer = flights.resolve(Lookup::new(key, now)).await;
    let read_at = match &answer {
        Ok(found) => {
            assert_eq!(found.key, key, "somebody else's answer");
            assert!(
                found.now >= now,
                "asked at an earlier time than the caller's"
            );
            saw("answered");
            found.read_at
        }
        Err(StoreError(StoreErrorKind::Failed(began_at))) => {
            saw("failed");
            *began_at
        }
        Err(StoreError(StoreErrorKind::Unavailable)) => panic!("no answer where there is one"),
    };
    assert!(read_at > came_at, "an answer from before the caller came");
    let mut given = store.given.lock().unwrap();
    if given.contains(&read_at) {
        saw(match answer {
            Ok(_) => "answer shared",
            Err(_) => "failure shared",
        });
    }
    given.push(read_at);
}

pub(crate) fn callers_come_and_leave() {
    block_on(async {
        let store = Store::new(false);
        let flights = SingleFlight::around(store.clone(), LONGEST_TURN);
        let runtime = Handle::default();
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let mut task = Task::on(
                    &runtime,
                    call(flights.clone(), store.clone(), below(QUESTIONS)),
                );
                let stays = !one_in(3);
                if !stays {
                    task = task.for_at_most(1 + below(3));
                }
                spawn(async move { (stays, task.await) })
            })
            .collect();
        for caller in callers {
            // Who waits for ever here is found by the scheduler.
            match caller.await.unwrap() {
                (_, End::Done(())) => {}
                (_, End::Panicked) => saw("panicked"),
                (stays, End::Left) => {
                    assert!(!stays);
                    saw("left");
                }
            }
        }
        everything_is_as_in_the_beginning(flights, store).await;
    });
}

/// One has the turn and is kept without being polled; for the others the turn is over at some time.
pub(crate) fn one_is_not_polled_any_more() {
    block_on(async {
        let store = Store::new(true);
        let flights = SingleFlight::around(store.clone(), LONGEST_TURN);
        let runtime = Handle::default();
        let mut lookup = Lookup::new(0, Timestamp(0));
        lookup.is_forgotten = true;
        let mut forgotten = flights.clone().resolve(lookup);
        std::future::poll_fn(|cx| {
            assert!(forgotten.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        let caller = || call(flights.clone(), store.clone(), 0);
        // Behind the forgotten one until somebody takes over.
        let behind: Vec<_> = (0..2)
            .map(|_| {
                let task = Task::on(&runtime, caller());
                spawn(if one_in(2) { task.for_at_most(1) } else { task })
            })
            .collect();
        for _ in 0..below(6) {
            yield_now().await;
        }
        advance(LONGEST_TURN);
        let others: Vec<_> = (0..3)
            .map(|_| spawn(Task::on(&runtime, caller())))
            .collect();
        // At some time, or not before nobody needs it any more.
        let (kept, dropping) = if one_in(2) {
            (Some(forgotten), None)
        } else {
            let dropping = spawn(async move {
                for _ in 0..below(8) {
                    yield_now().await;
                }
                drop(forgotten);
            });
            (None, Some(dropping))
        };
        for other in others {
            assert_eq!(other.await.unwrap(), End::Done(()));
        }
        saw("turn taken over");
        for caller in behind {
            match caller.await.unwrap() {
                End::Left => saw("left"),
                end => assert_eq!(end, End::Done(())),
            }
        }
        drop(kept);
        if let Some(dropping) = dropping {
            dropping.await.unwrap();
        }
        everything_is_as_in_the_beginning(flights, store).await;
    });
}

/// No question is left open, and nothing holds what nobody needs.
async fn everything_is_as_in_the_beginning(flights: Arc<dyn DynUserStore>, store: Arc<Store>) {
    store.is_reliable.store(true, Ordering::SeqCst);
    for key in 0..QUESTIONS {
        let before = store.lookups.load(Ordering::SeqCst);
        let task = Task::on(
            &Handle::default(),
            call(flights.clone(), store.clone(), key),
        );
        assert_eq!(task.await, End::Done(()));
        assert_eq!(store.lookups.load(Ordering::SeqCst), before + 1);
    }
    drop(flights);
    assert_eq!(
        Arc::strong_count(&store),
        1,
        "turns and rounds keep each other"
    );
}

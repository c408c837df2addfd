//! Models of the batcher: cancelled callers, batches that panic or never end, a full queue, and
//! runtimes that shut down.
//!
//! After each run, the model checks that every slot is free again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};
use tokio::sync::Semaphore;

use super::batch::{BatchError, BatchExecutor, BatchLimits, Batcher};
use crate::runtime::{End, Handle, Task, panic_here};
use crate::sightings::saw;
use crate::sync::{advance, below, one_in};

pub(crate) const COMING_AND_LEAVING: &[&str] = &[
    "answered",
    "shared a batch",
    "cancelled",
    "lost",
    "stuck until all were cancelled",
    "runtime ended",
    "queue full",
];
pub(crate) const LINE: &[&str] = &["answered", "queue full"];

const CALLERS: u32 = 6;

/// How many times a task yields before the model fails.
const MAX_YIELDS: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    One,
    Other,
    /// Its batches never end.
    Stuck,
    /// Shares a batch with no other request.
    Unique(u32),
}

#[derive(Clone, Copy)]
struct Request {
    number: u32,
    key: Key,
    panics: bool,
}

/// Returns the number of each request. A closed executor waits until it is opened.
struct EchoExecutor {
    limits: BatchLimits,
    in_flight: Vec<AtomicUsize>,
    is_closed: AtomicBool,
    permits: Semaphore,
}

struct InFlight<'e>(&'e AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct StuckBatch;

impl Drop for StuckBatch {
    fn drop(&mut self) {
        saw("stuck until all were cancelled");
    }
}

impl EchoExecutor {
    fn new(limits: BatchLimits, is_closed: bool) -> Self {
        Self {
            limits,
            in_flight: (0..limits.connections)
                .map(|_| AtomicUsize::new(0))
                .collect(),
            is_closed: AtomicBool::new(is_closed),
            permits: Semaphore::new(0),
        }
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.permits.forget_permits(usize::MAX);
    }

    fn open(&self) {
        self.is_closed.store(false, Ordering::SeqCst);
        self.permits.add_permits(1000);
    }

    fn all_in_flight(&self) -> usize {
        self.in_flight
            .iter()
            .map(|count| count.load(Ordering::SeqCst))
            .sum()
    }
}

impl BatchExecutor for EchoExecutor {
    type Request = Request;
    type Output = u32;
    type BatchKey = Key;

    fn batch_key(request: &Request) -> Key {
        request.key
    }

    async fn run(&self, connection: usize, requests: &[Request]) -> Vec<u32> {
        let before = self.in_flight[connection].fetch_add(1, Ordering::SeqCst);
        let _in_flight = InFlight(&self.in_flight[connection]);
        assert!(
            before < self.limits.max_in_flight,
            "too many batches on one connection"
        );
        assert!((1..=self.limits.max_batch).contains(&requests.len()));
        let key = requests[0].key;
        assert!(requests.iter().all(|request| request.key == key));
        if requests.len() > 1 {
            saw("shared a batch");
        }
        if self.is_closed.load(Ordering::SeqCst) {
            self.permits.acquire().await.unwrap().forget();
        }
        for _ in 0..below(3) {
            yield_now().await;
        }
        if key == Key::Stuck {
            let _stuck = StuckBatch;
            return std::future::pending().await;
        }
        if requests.iter().any(|request| request.panics) {
            panic_here::<()>().await;
        }
        requests.iter().map(|request| request.number).collect()
    }
}

pub(crate) fn callers_come_and_leave() {
    block_on(async {
        let limits = BatchLimits {
            connections: 1 + below(2) as usize,
            max_in_flight: 1 + below(2) as usize,
            max_batch: 2,
            queue_capacity: if one_in(2) { 2 } else { CALLERS as usize },
        };
        let batcher = Batcher::new(EchoExecutor::new(limits, false), limits);
        let runtimes = [Handle::default(), Handle::default()];
        let may_end = one_in(3);
        let may_panic = one_in(2);
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let runtime = &runtimes[below(2) as usize];
                let is_cancelled = one_in(3);
                let request = Request {
                    number,
                    key: match below(4) {
                        0 => Key::Other,
                        1 if is_cancelled => Key::Stuck,
                        _ => Key::One,
                    },
                    panics: may_panic && one_in(3),
                };
                let batcher = Arc::clone(&batcher);
                let mut task = Task::on(runtime, async move { batcher.run(request).await });
                if is_cancelled {
                    // The caller of a stuck request is never woken, so it must end at its first
                    // poll.
                    let wakes = u32::from(request.key != Key::Stuck);
                    task = task.for_at_most(1 + below(1 + wakes));
                }
                spawn(async move { (number, is_cancelled, task.await) })
            })
            .collect();
        let [first_runtime, second_runtime] = runtimes;
        let shutdown = spawn(async move {
            for _ in 0..below(10) {
                yield_now().await;
                if one_in(8) {
                    advance(Duration::from_millis(60));
                }
            }
            if may_end {
                first_runtime.end();
                saw("runtime ended");
            }
        });
        for caller in callers {
            // The scheduler reports a deadlock if the caller waits without end.
            let (number, is_cancelled, end) = caller.await.unwrap();
            match end {
                End::Done(Ok(output)) => {
                    assert_eq!(output, number, "output of another request");
                    saw("answered");
                }
                End::Done(Err(BatchError::Lost)) => {
                    assert!(may_panic || may_end, "lost without a panic or a shutdown");
                    saw("lost");
                }
                End::Done(Err(BatchError::QueueFull)) => {
                    assert!(
                        limits.queue_capacity < CALLERS as usize,
                        "the queue has capacity for all"
                    );
                    saw("queue full");
                }
                End::Left => {
                    assert!(is_cancelled || may_end);
                    saw("cancelled");
                }
                End::Panicked => panic!("a batch that panics must not panic its caller"),
            }
        }
        shutdown.await.unwrap();
        assert_every_slot_is_free(&batcher, &second_runtime).await;
    });
}

/// Fills every slot at the same time.
async fn assert_every_slot_is_free(batcher: &Arc<Batcher<EchoExecutor>>, runtime: &Handle) {
    let executor = batcher.executor();
    let mut yields = 0;
    while executor.all_in_flight() > 0 {
        yields += 1;
        assert!(yields < MAX_YIELDS, "a batch without callers is in flight");
        yield_now().await;
    }
    executor.close();
    let mut callers = Vec::new();
    let slots = executor.limits.connections * executor.limits.max_in_flight;
    for number in 0..slots {
        let request = Request {
            number: number as u32,
            // A cancelled batch may still occupy a slot, so that requests wait and would share a
            // batch if their keys were equal.
            key: Key::Unique(number as u32),
            panics: false,
        };
        let batcher = Arc::clone(batcher);
        let task = Task::on(runtime, async move { batcher.run(request).await });
        callers.push(spawn(task));
        let mut yields = 0;
        while executor.all_in_flight() <= number {
            yields += 1;
            assert!(
                yields < MAX_YIELDS,
                "only {number} of {slots} slots are free"
            );
            yield_now().await;
        }
    }
    executor.open();
    for (number, caller) in callers.into_iter().enumerate() {
        assert_eq!(caller.await.unwrap(), End::Done(Ok(number as u32)));
    }
}

pub(crate) fn more_come_than_may_wait() {
    block_on(async {
        let limits = BatchLimits {
            connections: 1,
            max_in_flight: 1,
            max_batch: 1,
            queue_capacity: 2,
        };
        let batcher = Batcher::new(EchoExecutor::new(limits, true), limits);
        let runtime = Handle::default();
        let polled = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let request = Request {
                    number,
                    key: Key::One,
                    panics: false,
                };
                let (batcher, polled) = (Arc::clone(&batcher), Arc::clone(&polled));
                spawn(Task::on(&runtime, async move {
                    let mut output = std::pin::pin!(batcher.run(request));
                    let mut is_new = true;
                    std::future::poll_fn(|cx| {
                        let output = output.as_mut().poll(cx);
                        if std::mem::take(&mut is_new) {
                            polled.fetch_add(1, Ordering::SeqCst);
                        }
                        output
                    })
                    .await
                }))
            })
            .collect();
        while polled.load(Ordering::SeqCst) < CALLERS as usize {
            yield_now().await;
        }
        batcher.executor().open();
        let mut answered = 0;
        for (number, caller) in callers.into_iter().enumerate() {
            match caller.await.unwrap() {
                End::Done(Ok(output)) => {
                    assert_eq!(output, number as u32);
                    answered += 1;
                    saw("answered");
                }
                end => {
                    assert_eq!(end, End::Done(Err(BatchError::QueueFull)));
                    saw("queue full");
                }
            }
        }
        // One in flight and a full queue. A request that arrives before the first one is sent finds
        // one place less in the queue.
        let max = 1 + limits.queue_capacity;
        assert!(
            (max - 1..=max).contains(&answered),
            "{answered} were accepted"
        );
        assert_every_slot_is_free(&batcher, &runtime).await;
    });
}

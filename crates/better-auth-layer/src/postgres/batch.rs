//! Batches lookups: those that wait at the same time are sent as one statement.
//!
//! A lookup is sent at once while a connection has capacity. Otherwise it waits in a bounded queue
//! until a batch ends, and is then sent together with all waiting lookups that have an equal batch
//! key. There is no timer. A result never comes from a query that was sent before its lookup
//! arrived: a batch accepts no further lookups after it is sent, so a revocation that is committed
//! before a request cannot be missed.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::sync::{Handle, Instant, Mutex, MutexGuard, oneshot};

/// Runs batches on one of several connections.
pub(super) trait BatchExecutor: Send + Sync + 'static {
    type Request: Send + Sync + 'static;
    type Output: Send + 'static;
    /// Requests with equal keys may share a batch.
    type BatchKey: PartialEq;

    fn batch_key(request: &Self::Request) -> Self::BatchKey;

    /// Returns one output for each request, in the order of the requests.
    fn run(
        &self,
        connection: usize,
        requests: &[Self::Request],
    ) -> impl Future<Output = Vec<Self::Output>> + Send;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    pub(super) connections: usize,
    /// Batches in flight on each connection.
    pub(super) max_in_flight: usize,
    /// Requests in one batch.
    pub(super) max_batch: usize,
    /// Requests that wait.
    pub(super) queue_capacity: usize,
}

/// Why a request has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchError {
    QueueFull,
    /// The batch panicked, or its runtime was shut down.
    Lost,
}

/// Sends each request at once while a connection has capacity, and in a batch otherwise.
///
/// Each batch runs in a task. A cancelled request leaves the queue, and a batch whose requests are
/// all cancelled is dropped. The batch's capacity is freed when its task ends for any reason.
pub(super) struct Batcher<E: BatchExecutor> {
    executor: E,
    limits: BatchLimits,
    queue: Mutex<Queue<E>>,
}

struct Queue<E: BatchExecutor> {
    loads: Vec<ConnectionLoad>,
    pending: VecDeque<PendingRequest<E>>,
    /// Set when several requests wait, and cleared when no batch is in flight.
    is_under_load: bool,
}

struct PendingRequest<E: BatchExecutor> {
    request: E::Request,
    caller: oneshot::Sender<E::Output>,
    /// The caller's runtime, which runs the batch.
    runtime: Handle,
}

/// Capacity for one batch on a connection. Dropping it frees the capacity and sends the next batch.
struct Slot<E: BatchExecutor> {
    batcher: Arc<Batcher<E>>,
    connection: usize,
}

struct ReadyBatch<E: BatchExecutor> {
    slot: Slot<E>,
    requests: Vec<PendingRequest<E>>,
    runtime: Handle,
}

impl<E: BatchExecutor> Batcher<E> {
    pub(super) fn new(executor: E, limits: BatchLimits) -> Arc<Self> {
        Arc::new(Self {
            executor,
            queue: Mutex::new(Queue {
                loads: vec![ConnectionLoad::default(); limits.connections],
                pending: VecDeque::new(),
                is_under_load: false,
            }),
            limits,
        })
    }

    pub(super) fn executor(&self) -> &E {
        &self.executor
    }

    /// Runs a request. The caller applies the deadline.
    pub(super) async fn run(
        self: &Arc<Self>,
        request: E::Request,
    ) -> Result<E::Output, BatchError> {
        let (caller, output) = oneshot::channel();
        self.enqueue(PendingRequest {
            request,
            caller,
            runtime: Handle::current(),
        })?;
        self.dispatch();
        output.await.map_err(|_| BatchError::Lost)
    }

    fn enqueue(&self, request: PendingRequest<E>) -> Result<(), BatchError> {
        let mut queue = self.queue();
        if queue.pending.len() >= self.limits.queue_capacity {
            queue.pending.retain(|pending| !pending.caller.is_closed());
        }
        if queue.pending.len() >= self.limits.queue_capacity {
            return Err(BatchError::QueueFull);
        }
        queue.pending.push_back(request);
        Ok(())
    }

    /// Sends batches while there are requests and capacity.
    fn dispatch(self: &Arc<Self>) {
        // The queue is unlocked while a task is spawned: a runtime that shuts down drops the task
        // at once, and with it the slot, whose `drop` calls this function.
        while let Some(batch) = self.next_batch() {
            let ReadyBatch {
                slot,
                requests,
                runtime,
            } = batch;
            runtime.spawn(slot.run(requests));
        }
    }

    fn next_batch(self: &Arc<Self>) -> Option<ReadyBatch<E>> {
        let mut queue = self.queue();
        let queue = &mut *queue;
        let now = Instant::now();
        let is_idle = queue.loads.iter().all(|load| load.in_flight() == 0);
        queue.is_under_load = queue.pending.len() > 1 || (queue.is_under_load && !is_idle);
        let policy = SchedulingPolicy {
            max_in_flight: self.limits.max_in_flight,
            is_under_load: queue.is_under_load,
        };
        let connection = policy.choose(&queue.loads, now)?;
        let requests = take_batch(&mut queue.pending, self.limits.max_batch);
        let runtime = requests.first()?.runtime.clone();
        queue.loads.get_mut(connection)?.begin(now);
        Some(ReadyBatch {
            slot: Slot {
                batcher: Arc::clone(self),
                connection,
            },
            requests,
            runtime,
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue<E>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the first request from the queue, with all later requests that may share its batch.
/// Cancelled requests are removed too. The other requests keep their order.
fn take_batch<E: BatchExecutor>(
    pending: &mut VecDeque<PendingRequest<E>>,
    max: usize,
) -> Vec<PendingRequest<E>> {
    let mut batch: Vec<PendingRequest<E>> = Vec::new();
    let mut batch_key = None;
    let mut others = VecDeque::new();
    while let Some(next) = pending.pop_front() {
        if next.caller.is_closed() {
            continue;
        }
        let key = E::batch_key(&next.request);
        if *batch_key.get_or_insert_with(|| E::batch_key(&next.request)) == key {
            batch.push(next);
        } else {
            others.push_back(next);
        }
        if batch.len() >= max {
            break;
        }
    }
    others.append(pending);
    *pending = others;
    batch
}

impl<E: BatchExecutor> Slot<E> {
    async fn run(self, batch: Vec<PendingRequest<E>>) {
        let (requests, mut callers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|pending| (pending.request, pending.caller))
            .unzip();
        let outputs = tokio::select! {
            biased;
            outputs = self.batcher.executor.run(self.connection, &requests) => outputs,
            () = all_cancelled(&mut callers) => Vec::new(),
        };
        // Frees the slot before the results are sent, so that the next batch starts first.
        drop(self);
        for (caller, output) in callers.into_iter().zip(outputs) {
            // Fails if the request is cancelled.
            let _ = caller.send(output);
        }
    }
}

async fn all_cancelled<T>(callers: &mut [oneshot::Sender<T>]) {
    for caller in callers {
        caller.closed().await;
    }
}

impl<E: BatchExecutor> Drop for Slot<E> {
    fn drop(&mut self) {
        if let Some(load) = self.batcher.queue().loads.get_mut(self.connection) {
            load.end();
        }
        self.batcher.dispatch();
    }
}

/// The start times of the batches in flight on a connection. They end in this order.
#[derive(Clone, Debug, Default)]
struct ConnectionLoad(VecDeque<Instant>);

impl ConnectionLoad {
    fn in_flight(&self) -> usize {
        self.0.len()
    }

    /// Whether the oldest batch has been in flight for this time.
    fn is_older_than(&self, age: Duration, now: Instant) -> bool {
        let oldest = self.0.front();
        oldest.is_some_and(|start| now.saturating_duration_since(*start) >= age)
    }

    fn begin(&mut self, now: Instant) {
        self.0.push_back(now);
    }

    fn end(&mut self) {
        self.0.pop_front();
    }
}

/// Decides on which connection the next batch is sent, or that it waits.
///
/// - With few requests, the first connection with capacity is used: one server process stays
///   active, which is faster than waking another one.
/// - Under load, the connection with the fewest batches is used, and each connection has at most
///   [`MAX_UNDER_LOAD`](Self::MAX_UNDER_LOAD) batches in flight. More batches would be smaller.
/// - A connection whose oldest batch is late is used only if no other has capacity.
/// - A connection whose oldest batch is slow is not used, because results arrive in the order of
///   the batches.
#[derive(Clone, Copy)]
struct SchedulingPolicy {
    max_in_flight: usize,
    is_under_load: bool,
}

impl SchedulingPolicy {
    /// The batch that the server is running, and the next one.
    const MAX_UNDER_LOAD: usize = 2;
    const LATE: Duration = Duration::from_millis(10);
    const SLOW: Duration = Duration::from_millis(100);

    fn choose(self, loads: &[ConnectionLoad], now: Instant) -> Option<usize> {
        let max = if self.is_under_load {
            self.max_in_flight.min(Self::MAX_UNDER_LOAD)
        } else {
            self.max_in_flight
        };
        let free = |is_late: bool| {
            loads.iter().enumerate().filter(move |(_, load)| {
                load.in_flight() < max
                    && load.is_older_than(Self::LATE, now) == is_late
                    && !load.is_older_than(Self::SLOW, now)
            })
        };
        let on_time = if self.is_under_load {
            free(false).min_by_key(|(_, load)| load.in_flight())
        } else {
            free(false).next()
        };
        let chosen = on_time.or_else(|| free(true).next());
        chosen.map(|(connection, _)| connection)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;
    use std::task::Context;

    use tokio::sync::Semaphore;
    use tokio::task::{JoinHandle, yield_now};

    use super::*;

    /// Returns each request as its output when the test releases the connection.
    struct EchoExecutor {
        /// The connection and the requests of each batch.
        batches: StdMutex<Vec<(usize, Vec<u32>)>>,
        releases: Vec<Semaphore>,
    }

    /// Requests from this number on have another batch key.
    const OTHER_KEY: u32 = 100;
    const PANICS: u32 = 66;

    impl BatchExecutor for EchoExecutor {
        type Request = u32;
        type Output = u32;
        type BatchKey = bool;

        fn batch_key(request: &u32) -> bool {
            *request >= OTHER_KEY
        }

        async fn run(&self, connection: usize, requests: &[u32]) -> Vec<u32> {
            let batch = (connection, requests.to_vec());
            self.batches.lock().unwrap().push(batch);
            self.releases[connection].acquire().await.unwrap().forget();
            assert!(!requests.contains(&PANICS), "panics on purpose");
            requests.to_vec()
        }
    }

    fn batcher(connections: usize, max_in_flight: usize) -> Arc<Batcher<EchoExecutor>> {
        let executor = EchoExecutor {
            batches: StdMutex::default(),
            releases: (0..connections).map(|_| Semaphore::new(0)).collect(),
        };
        let limits = BatchLimits {
            connections,
            max_in_flight,
            max_batch: 4,
            queue_capacity: 8,
        };
        Batcher::new(executor, limits)
    }

    type Running = JoinHandle<Result<u32, BatchError>>;

    impl Batcher<EchoExecutor> {
        /// Runs a request in a task. The request is in the queue or sent when this returns.
        async fn start(self: &Arc<Self>, request: u32) -> Running {
            let batcher = Arc::clone(self);
            let task = tokio::spawn(async move { batcher.run(request).await });
            run_other_tasks().await;
            task
        }

        async fn start_all(
            self: &Arc<Self>,
            requests: impl IntoIterator<Item = u32>,
        ) -> Vec<Running> {
            let mut tasks = Vec::new();
            for request in requests {
                tasks.push(self.start(request).await);
            }
            tasks
        }

        async fn release(&self, connection: usize) {
            self.executor.releases[connection].add_permits(1);
            run_other_tasks().await;
        }

        fn release_all(&self) {
            for releases in &self.executor.releases {
                releases.add_permits(1000);
            }
        }

        fn batches(&self) -> Vec<Vec<u32>> {
            let batches = self.executor.batches.lock().unwrap();
            batches.iter().map(|(_, batch)| batch.clone()).collect()
        }

        fn connections(&self) -> Vec<usize> {
            let batches = self.executor.batches.lock().unwrap();
            batches.iter().map(|(connection, _)| *connection).collect()
        }

        fn is_idle(&self) -> bool {
            let queue = self.queue();
            queue.pending.is_empty() && queue.loads.iter().all(|load| load.in_flight() == 0)
        }
    }

    async fn run_other_tasks() {
        for _ in 0..20 {
            yield_now().await;
        }
    }

    async fn assert_outputs(tasks: Vec<Running>, requests: impl IntoIterator<Item = u32>) {
        for (task, request) in tasks.into_iter().zip(requests) {
            assert_eq!(task.await.unwrap(), Ok(request));
        }
    }

    #[tokio::test]
    async fn few_requests_are_sent_singly() {
        let batcher = batcher(2, 2);
        let tasks = batcher.start_all(0..4).await;
        assert_eq!(batcher.batches(), [[0], [1], [2], [3]]);
        assert_eq!(batcher.connections(), [0, 0, 1, 1]);
        batcher.release_all();
        assert_outputs(tasks, 0..4).await;
        assert!(batcher.is_idle());
    }

    #[tokio::test]
    async fn waiting_requests_share_batches() {
        let batcher = batcher(1, 1);
        let tasks = batcher.start_all(0..7).await;
        assert_eq!(batcher.batches(), [vec![0]]);
        batcher.release(0).await;
        assert_eq!(batcher.batches(), [vec![0], vec![1, 2, 3, 4]]);
        batcher.release_all();
        assert_outputs(tasks, 0..7).await;
        assert_eq!(batcher.batches()[2], [5, 6]);
        assert!(batcher.is_idle());
    }

    #[tokio::test]
    async fn batches_have_one_key_and_keep_order() {
        let batcher = batcher(1, 1);
        let requests = [0, 100, 1, 101, 2, 102];
        let tasks = batcher.start_all(requests).await;
        batcher.release_all();
        assert_outputs(tasks, requests).await;
        assert_eq!(
            batcher.batches(),
            [vec![0], vec![100, 101, 102], vec![1, 2]]
        );
    }

    #[tokio::test]
    async fn stuck_connection_blocks_no_other() {
        let batcher = batcher(2, 1);
        let mut tasks = batcher.start_all(0..5).await;
        for _ in 0..10 {
            batcher.release(1).await;
        }
        let stuck = tasks.remove(0);
        assert_outputs(tasks, 1..5).await;
        assert!(!stuck.is_finished());
        batcher.release(0).await;
        assert_eq!(stuck.await.unwrap(), Ok(0));
        assert!(batcher.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_after_a_slow_batch() {
        let batcher = batcher(2, 2);
        let slow = batcher.start_all(0..1).await;
        tokio::time::advance(SchedulingPolicy::SLOW).await;
        let others = batcher.start_all(1..4).await;
        assert_eq!(batcher.connections(), [0, 1, 1]);
        for _ in 0..3 {
            batcher.release(1).await;
        }
        assert_outputs(others, 1..4).await;
        assert_eq!(batcher.connections(), [0, 1, 1, 1]);
        batcher.release(0).await;
        assert_outputs(slow, 0..1).await;
        assert!(batcher.is_idle());
    }

    #[tokio::test]
    async fn load_is_spread_in_large_batches() {
        let batcher = batcher(2, 4);
        let first = batcher.start_all(0..8).await;
        let waiting = batcher.start_all(8..16).await;
        assert_eq!(batcher.connections(), [0, 0, 0, 0, 1, 1, 1, 1]);
        // Until one batch is left on each connection.
        for _ in 0..2 {
            batcher.release(1).await;
            batcher.release(0).await;
        }
        assert_eq!(batcher.connections().len(), 8);
        batcher.release(1).await;
        batcher.release(0).await;
        assert_eq!(batcher.connections()[8..], [1, 0]);
        assert_eq!(batcher.batches()[8..], [[8, 9, 10, 11], [12, 13, 14, 15]]);
        // A single request waits too while there is load.
        let one_more = batcher.start_all(16..17).await;
        assert_eq!(batcher.connections().len(), 10);
        batcher.release_all();
        assert_outputs(first, 0..8).await;
        assert_outputs(waiting, 8..16).await;
        assert_outputs(one_more, 16..17).await;
        assert!(batcher.is_idle());
        // The load has ended.
        let few = batcher.start_all(0..3).await;
        assert_eq!(batcher.connections()[11..], [0, 0, 0]);
        assert_outputs(few, 0..3).await;
    }

    #[tokio::test(start_paused = true)]
    async fn late_connection_is_used_last() {
        let batcher = batcher(2, 4);
        let late = batcher.start_all(0..1).await;
        tokio::time::advance(SchedulingPolicy::LATE).await;
        let others = batcher.start_all(1..6).await;
        assert_eq!(batcher.connections(), [0, 1, 1, 1, 1, 0]);
        batcher.release_all();
        assert_outputs(late, 0..1).await;
        assert_outputs(others, 1..6).await;
        assert!(batcher.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn policy_chooses_by_count_and_age() {
        let start = Instant::now();
        let load = |ages: &[u64]| {
            let starts = ages.iter().map(|age| start - Duration::from_millis(*age));
            ConnectionLoad(starts.collect())
        };
        for (is_under_load, loads, chosen) in [
            (false, [load(&[]), load(&[])], Some(0)),
            (false, [load(&[9, 5, 1]), load(&[])], Some(0)),
            (false, [load(&[9, 5, 3, 1]), load(&[])], Some(1)),
            (false, [load(&[10]), load(&[1])], Some(1)),
            (false, [load(&[10]), load(&[1, 1, 1, 1])], Some(0)),
            (false, [load(&[100]), load(&[1, 1, 1, 1])], None),
            (true, [load(&[1]), load(&[])], Some(1)),
            (true, [load(&[1]), load(&[1, 1])], Some(0)),
            (true, [load(&[1, 1]), load(&[1, 1])], None),
            (true, [load(&[10]), load(&[1, 1])], Some(0)),
        ] {
            let policy = SchedulingPolicy {
                max_in_flight: 4,
                is_under_load,
            };
            let connection = policy.choose(&loads, start);
            assert_eq!(connection, chosen, "{is_under_load} {loads:?}");
        }
    }

    #[tokio::test]
    async fn queue_is_bounded() {
        let batcher = batcher(1, 1);
        let mut tasks = batcher.start_all(0..9).await;
        assert_eq!(batcher.run(9).await, Err(BatchError::QueueFull));
        // A cancelled request frees its capacity.
        tasks.remove(5).abort();
        run_other_tasks().await;
        tasks.push(batcher.start(9).await);
        batcher.release_all();
        assert_outputs(tasks, [0, 1, 2, 3, 4, 6, 7, 8, 9]).await;
    }

    #[tokio::test]
    async fn cancelled_request_is_not_sent() {
        let batcher = batcher(1, 1);
        let mut tasks = batcher.start_all(0..4).await;
        tasks.remove(2).abort();
        batcher.release_all();
        assert_outputs(tasks, [0, 1, 3]).await;
        assert_eq!(batcher.batches(), [vec![0], vec![1, 3]]);
    }

    #[tokio::test]
    async fn batch_ends_when_all_are_cancelled() {
        let batcher = batcher(1, 1);
        let mut tasks = batcher.start_all(0..5).await;
        batcher.release(0).await;
        // Of the four requests in the batch, three are cancelled.
        let last = tasks.remove(3);
        for cancelled in tasks.drain(1..) {
            cancelled.abort();
        }
        run_other_tasks().await;
        assert!(!batcher.is_idle());
        last.abort();
        run_other_tasks().await;
        assert!(batcher.is_idle());
        batcher.release_all();
        assert_eq!(batcher.run(7).await, Ok(7));
    }

    #[tokio::test]
    async fn panic_frees_the_slot() {
        let batcher = batcher(1, 1);
        let mut tasks = batcher.start_all([0, PANICS, 1, 102]).await;
        batcher.release_all();
        assert_outputs(vec![tasks.pop().unwrap()], [102]).await;
        for lost in tasks.drain(1..) {
            assert_eq!(lost.await.unwrap(), Err(BatchError::Lost));
        }
        assert!(batcher.is_idle());
    }

    #[test]
    fn runtime_shutdown_frees_the_slot() {
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_time().build().unwrap()
        };
        let (shut_down, other) = (runtime(), runtime());
        let batcher = batcher(1, 1);
        // One batch in flight, and more requests in the queue than fit into the next.
        let tasks = shut_down.block_on(batcher.start_all(0..6));
        let may_share = other.block_on(batcher.start(7));
        let waiting = other.block_on(batcher.start(107));
        drop(tasks);
        drop(shut_down);
        batcher.release_all();
        assert_eq!(other.block_on(waiting).unwrap(), Ok(107));
        // A runtime drops its tasks in any order, so this request may have been in a lost batch.
        let output = other.block_on(may_share).unwrap();
        assert!(matches!(output, Ok(7) | Err(BatchError::Lost)));
        assert_eq!(other.block_on(batcher.run(7)), Ok(7));
        assert!(batcher.is_idle());
    }

    #[tokio::test]
    async fn unpolled_caller_keeps_no_slot() {
        let batcher = batcher(1, 1);
        let mut unpolled = Box::pin(batcher.run(0));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(unpolled.as_mut().poll(&mut cx).is_pending());
        batcher.release_all();
        assert_eq!(batcher.run(1).await, Ok(1));
        assert!(batcher.is_idle());
        assert_eq!(unpolled.await, Ok(0));
    }
}

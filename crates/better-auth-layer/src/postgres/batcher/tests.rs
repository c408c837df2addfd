//! The line and the lanes, with somebody to ask who answers when the test says so.

use std::sync::Mutex as StdMutex;
use std::task::Context;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};

use super::*;

/// Answers each question with itself, once a pass is there for its lane.
struct Oracle {
    /// The questions of each batch with its lane.
    asked: StdMutex<Vec<(usize, Vec<u32>)>>,
    passes: Vec<Semaphore>,
}

/// Questions from here on are of another sort.
const OTHER_SORT: u32 = 100;
const PANICS: u32 = 66;

impl Ask for Oracle {
    type Question = u32;
    type Answer = u32;
    type Sort = bool;

    fn sort(question: &u32) -> bool {
        *question >= OTHER_SORT
    }

    async fn ask(&self, lane: usize, questions: &[u32]) -> Vec<u32> {
        self.asked.lock().unwrap().push((lane, questions.to_vec()));
        self.passes[lane].acquire().await.unwrap().forget();
        assert!(!questions.contains(&PANICS), "the oracle is wrong");
        questions.to_vec()
    }
}

fn oracle(lanes: usize, in_flight: usize) -> Arc<Batcher<Oracle>> {
    let oracle = Oracle {
        asked: StdMutex::default(),
        passes: (0..lanes).map(|_| Semaphore::new(0)).collect(),
    };
    let limits = Limits {
        lanes,
        in_flight,
        together: 4,
        waiting: 8,
    };
    Batcher::new(oracle, limits)
}

type Asking = JoinHandle<Result<u32, Unanswered>>;

impl Batcher<Oracle> {
    /// Asks in a task, which is in the line when this returns.
    async fn begin(self: &Arc<Self>, question: u32) -> Asking {
        let batcher = Arc::clone(self);
        let task = tokio::spawn(async move { batcher.ask(question).await });
        settle().await;
        task
    }

    async fn begin_all(self: &Arc<Self>, questions: impl IntoIterator<Item = u32>) -> Vec<Asking> {
        let mut tasks = Vec::new();
        for question in questions {
            tasks.push(self.begin(question).await);
        }
        tasks
    }

    async fn release(&self, lane: usize) {
        self.asker.passes[lane].add_permits(1);
        settle().await;
    }

    fn release_everything(&self) {
        for passes in &self.asker.passes {
            passes.add_permits(1000);
        }
    }

    fn batches(&self) -> Vec<Vec<u32>> {
        let asked = self.asker.asked.lock().unwrap();
        asked.iter().map(|(_, batch)| batch.clone()).collect()
    }

    fn lanes(&self) -> Vec<usize> {
        let asked = self.asker.asked.lock().unwrap();
        asked.iter().map(|(lane, _)| *lane).collect()
    }

    fn is_idle(&self) -> bool {
        let line = self.line();
        line.waiting.is_empty() && line.lanes.iter().all(|load| load.in_flight() == 0)
    }
}

/// Lets every other task go as far as it can.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

async fn each_is_answered(tasks: Vec<Asking>, questions: impl IntoIterator<Item = u32>) {
    for (task, question) in tasks.into_iter().zip(questions) {
        assert_eq!(task.await.unwrap(), Ok(question));
    }
}

#[tokio::test]
async fn a_few_go_at_once_and_alone_and_fill_one_lane_after_the_other() {
    let oracle = oracle(2, 2);
    let tasks = oracle.begin_all(0..4).await;
    assert_eq!(oracle.batches(), [[0], [1], [2], [3]]);
    assert_eq!(oracle.lanes(), [0, 0, 1, 1]);
    oracle.release_everything();
    each_is_answered(tasks, 0..4).await;
    assert!(oracle.is_idle());
}

#[tokio::test]
async fn those_who_wait_go_together_as_many_as_fit() {
    let oracle = oracle(1, 1);
    let tasks = oracle.begin_all(0..7).await;
    assert_eq!(oracle.batches(), [vec![0]]);
    oracle.release(0).await;
    assert_eq!(oracle.batches(), [vec![0], vec![1, 2, 3, 4]]);
    oracle.release_everything();
    each_is_answered(tasks, 0..7).await;
    assert_eq!(oracle.batches()[2], [5, 6]);
    assert!(oracle.is_idle());
}

#[tokio::test]
async fn only_one_sort_goes_together_and_nobody_loses_the_place_in_the_line() {
    let oracle = oracle(1, 1);
    let questions = [0, 100, 1, 101, 2, 102];
    let tasks = oracle.begin_all(questions).await;
    oracle.release_everything();
    each_is_answered(tasks, questions).await;
    assert_eq!(oracle.batches(), [vec![0], vec![100, 101, 102], vec![1, 2]]);
}

#[tokio::test]
async fn a_lane_that_is_stuck_holds_up_no_other() {
    let oracle = oracle(2, 1);
    let mut tasks = oracle.begin_all(0..5).await;
    for _ in 0..10 {
        oracle.release(1).await;
    }
    let stuck = tasks.remove(0);
    each_is_answered(tasks, 1..5).await;
    assert!(!stuck.is_finished());
    oracle.release(0).await;
    assert_eq!(stuck.await.unwrap(), Ok(0));
    assert!(oracle.is_idle());
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_behind_a_batch_that_is_slow() {
    let oracle = oracle(2, 2);
    let slow = oracle.begin_all(0..1).await;
    tokio::time::advance(SLOW).await;
    let others = oracle.begin_all(1..4).await;
    assert_eq!(oracle.lanes(), [0, 1, 1]);
    for _ in 0..3 {
        oracle.release(1).await;
    }
    each_is_answered(others, 1..4).await;
    assert_eq!(oracle.lanes(), [0, 1, 1, 1]);
    oracle.release(0).await;
    each_is_answered(slow, 0..1).await;
    assert!(oracle.is_idle());
}

#[tokio::test]
async fn a_crowd_goes_in_few_batches_on_every_lane() {
    let oracle = oracle(2, 4);
    let few = oracle.begin_all(0..8).await;
    let crowd = oracle.begin_all(8..16).await;
    assert_eq!(oracle.lanes(), [0, 0, 0, 0, 1, 1, 1, 1]);
    // Until a lane has but one more on it.
    for _ in 0..2 {
        oracle.release(1).await;
        oracle.release(0).await;
    }
    assert_eq!(oracle.lanes().len(), 8);
    oracle.release(1).await;
    oracle.release(0).await;
    assert_eq!(oracle.lanes()[8..], [1, 0]);
    assert_eq!(oracle.batches()[8..], [[8, 9, 10, 11], [12, 13, 14, 15]]);
    // Whoever comes alone meanwhile is part of the crowd.
    let one_more = oracle.begin_all(16..17).await;
    assert_eq!(oracle.lanes().len(), 10);
    oracle.release_everything();
    each_is_answered(few, 0..8).await;
    each_is_answered(crowd, 8..16).await;
    each_is_answered(one_more, 16..17).await;
    assert!(oracle.is_idle());
    // And afterwards is not.
    let few = oracle.begin_all(0..3).await;
    assert_eq!(oracle.lanes()[11..], [0, 0, 0]);
    each_is_answered(few, 0..3).await;
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_late_is_the_last_choice() {
    let oracle = oracle(2, 4);
    let late = oracle.begin_all(0..1).await;
    tokio::time::advance(LATE).await;
    let others = oracle.begin_all(1..6).await;
    assert_eq!(oracle.lanes(), [0, 1, 1, 1, 1, 0]);
    oracle.release_everything();
    each_is_answered(late, 0..1).await;
    each_is_answered(others, 1..6).await;
    assert!(oracle.is_idle());
}

#[tokio::test]
async fn the_line_has_an_end() {
    let oracle = oracle(1, 1);
    let mut tasks = oracle.begin_all(0..9).await;
    assert_eq!(oracle.ask(9).await, Err(Unanswered::LineFull));
    // Who has left stands in nobody's way.
    let left = tasks.remove(5);
    left.abort();
    settle().await;
    tasks.push(oracle.begin(9).await);
    oracle.release_everything();
    each_is_answered(tasks, [0, 1, 2, 3, 4, 6, 7, 8, 9]).await;
}

#[tokio::test]
async fn who_leaves_the_line_is_not_asked_for() {
    let oracle = oracle(1, 1);
    let mut tasks = oracle.begin_all(0..4).await;
    let left = tasks.remove(2);
    left.abort();
    oracle.release_everything();
    each_is_answered(tasks, [0, 1, 3]).await;
    assert_eq!(oracle.batches(), [vec![0], vec![1, 3]]);
}

#[tokio::test]
async fn a_batch_goes_on_for_as_long_as_somebody_waits_for_it() {
    let oracle = oracle(1, 1);
    let mut tasks = oracle.begin_all(0..5).await;
    oracle.release(0).await;
    // Of the four who are under way together, three leave.
    let stays = tasks.remove(3);
    for left in tasks.drain(1..) {
        left.abort();
    }
    settle().await;
    assert!(!oracle.is_idle());
    // The last one leaves, and the place is free at once.
    stays.abort();
    settle().await;
    assert!(oracle.is_idle());
    oracle.release_everything();
    assert_eq!(oracle.ask(7).await, Ok(7));
}

#[tokio::test]
async fn a_panic_costs_its_own_callers_an_answer_and_nobody_the_place() {
    let oracle = oracle(1, 1);
    let mut tasks = oracle.begin_all([0, PANICS, 1, 102]).await;
    oracle.release_everything();
    each_is_answered(vec![tasks.pop().unwrap()], [102]).await;
    for lost in tasks.drain(1..) {
        assert_eq!(lost.await.unwrap(), Err(Unanswered::Lost));
    }
    assert!(oracle.is_idle());
}

/// A batch that is carried by a runtime which ends strands nobody on another one.
#[test]
fn a_runtime_that_ends_gives_its_place_to_the_others() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().unwrap()
    };
    let (ends, goes_on) = (runtime(), runtime());
    let oracle = oracle(1, 1);
    // One under way, and more in the line than fit into a batch.
    let carried = ends.block_on(oracle.begin_all(0..6));
    let rides_along = goes_on.block_on(oracle.begin(7));
    let waits = goes_on.block_on(oracle.begin(107));
    drop(carried);
    drop(ends);
    oracle.release_everything();
    assert_eq!(goes_on.block_on(waits).unwrap(), Ok(107));
    // In which order a runtime drops its tasks is its own affair, and so who was with whom in a batch.
    let rode_along = goes_on.block_on(rides_along).unwrap();
    assert!(matches!(rode_along, Ok(7) | Err(Unanswered::Lost)));
    assert_eq!(goes_on.block_on(oracle.ask(7)), Ok(7));
    assert!(oracle.is_idle());
}

/// A caller who is not polled any more holds up nobody.
#[tokio::test]
async fn a_caller_who_is_kept_and_forgotten_keeps_no_place() {
    let oracle = oracle(1, 1);
    let mut forgotten = Box::pin(oracle.ask(0));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(forgotten.as_mut().poll(&mut cx).is_pending());
    oracle.release_everything();
    assert_eq!(oracle.ask(1).await, Ok(1));
    assert!(oracle.is_idle());
    assert_eq!(forgotten.await, Ok(0));
}

//! Callers of a batcher who wait or leave, batches that panic or are stuck, and runtimes that end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::future::{block_on, spawn, yield_now};
use tokio::sync::Semaphore;

use super::batcher::{Ask, Batcher, Limits, Unanswered};
use crate::runtime::{End, Handle, Task, panic_here};
use crate::sightings::saw;
use crate::sync::{advance, below, one_in};

pub(crate) const COMING_AND_LEAVING: &[&str] = &[
    "answered",
    "asked together",
    "left",
    "lost",
    "stuck until all had left",
    "runtime ended",
    "line full",
];
pub(crate) const LINE: &[&str] = &["answered", "line full"];

const CALLERS: u32 = 6;

/// How many times one task may be polled while the others do what they have to.
const PATIENCE: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    One,
    Other,
    /// Is never answered.
    Stuck,
    /// Goes with nobody.
    Own(u32),
}

#[derive(Clone, Copy)]
struct Question {
    number: u32,
    sort: Sort,
    panics: bool,
}

/// Answers each question with its number.
struct Oracle {
    limits: Limits,
    under_way: Vec<AtomicUsize>,
    is_closed: AtomicBool,
    passes: Semaphore,
}

struct UnderWay<'o>(&'o AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Deserted;

impl Drop for Deserted {
    fn drop(&mut self) {
        saw("stuck until all had left");
    }
}

impl Oracle {
    fn new(limits: Limits, is_closed: bool) -> Self {
        Self {
            limits,
            under_way: (0..limits.lanes).map(|_| AtomicUsize::new(0)).collect(),
            is_closed: AtomicBool::new(is_closed),
            passes: Semaphore::new(0),
        }
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.passes.forget_permits(usize::MAX);
    }

    fn open(&self) {
        self.is_closed.store(false, Ordering::SeqCst);
        self.passes.add_permits(1000);
    }

    fn all_under_way(&self) -> usize {
        self.under_way
            .iter()
            .map(|lane| lane.load(Ordering::SeqCst))
            .sum()
    }
}

impl Ask for Oracle {
    type Question = Question;
    type Answer = u32;
    type Sort = Sort;

    fn sort(question: &Question) -> Sort {
        question.sort
    }

    async fn ask(&self, lane: usize, questions: &[Question]) -> Vec<u32> {
        let before = self.under_way[lane].fetch_add(1, Ordering::SeqCst);
        let _under_way = UnderWay(&self.under_way[lane]);
        assert!(before < self.limits.in_flight, "too much on one lane");
        assert!((1..=self.limits.together).contains(&questions.len()));
        let sort = questions[0].sort;
        assert!(questions.iter().all(|question| question.sort == sort));
        if questions.len() > 1 {
            saw("asked together");
        }
        if self.is_closed.load(Ordering::SeqCst) {
            self.passes.acquire().await.unwrap().forget();
        }
        for _ in 0..below(3) {
            yield_now().await;
        }
        if sort == Sort::Stuck {
            let _deserted = Deserted;
            return std::future::pending().await;
        }
        if questions.iter().any(|question| question.panics) {
            panic_here::<()>().await;
        }
        questions.iter().map(|question| question.number).collect()
    }
}

pub(crate) fn callers_come_and_leave() {
    block_on(async {
        let limits = Limits {
            lanes: 1 + below(2) as usize,
            in_flight: 1 + below(2) as usize,
            together: 2,
            waiting: if one_in(2) { 2 } else { CALLERS as usize },
        };
        let batcher = Batcher::new(Oracle::new(limits, false), limits);
        let runtimes = [Handle::default(), Handle::default()];
        let may_end = one_in(3);
        let may_panic = one_in(2);
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let runtime = &runtimes[below(2) as usize];
                let leaves = one_in(3);
                let question = Question {
                    number,
                    sort: match below(4) {
                        0 => Sort::Other,
                        1 if leaves => Sort::Stuck,
                        _ => Sort::One,
                    },
                    panics: may_panic && one_in(3),
                };
                let batcher = Arc::clone(&batcher);
                let mut task = Task::on(runtime, async move { batcher.ask(question).await });
                if leaves {
                    // Nobody wakes one who asks what is never answered.
                    let wakes = u32::from(question.sort != Sort::Stuck);
                    task = task.for_at_most(1 + below(1 + wakes));
                }
                spawn(async move { (number, leaves, task.await) })
            })
            .collect();
        let [ends, goes_on] = runtimes;
        let ending = spawn(async move {
            for _ in 0..below(10) {
                yield_now().await;
                if one_in(8) {
                    advance(Duration::from_millis(60));
                }
            }
            if may_end {
                ends.end();
                saw("runtime ended");
            }
        });
        for caller in callers {
            // Who waits for ever here is found by the scheduler.
            let (number, leaves, end) = caller.await.unwrap();
            match end {
                End::Done(Ok(answer)) => {
                    assert_eq!(answer, number, "somebody else's answer");
                    saw("answered");
                }
                End::Done(Err(Unanswered::Lost)) => {
                    assert!(may_panic || may_end, "nothing was there to lose it");
                    saw("lost");
                }
                End::Done(Err(Unanswered::LineFull)) => {
                    assert!(limits.waiting < CALLERS as usize, "there was room for all");
                    saw("line full");
                }
                End::Left => {
                    assert!(leaves || may_end);
                    saw("left");
                }
                End::Panicked => panic!("a batch is a task of its own"),
            }
        }
        ending.await.unwrap();
        every_place_is_free(&batcher, &goes_on).await;
    });
}

/// As many as there are places for are under way at the same time.
async fn every_place_is_free(batcher: &Arc<Batcher<Oracle>>, runtime: &Handle) {
    let oracle = batcher.asker();
    let mut rounds = 0;
    while oracle.all_under_way() > 0 {
        rounds += 1;
        assert!(rounds < PATIENCE, "a batch is under way for nobody");
        yield_now().await;
    }
    oracle.close();
    let mut callers = Vec::new();
    let places = oracle.limits.lanes * oracle.limits.in_flight;
    for number in 0..places {
        let question = Question {
            number: number as u32,
            // A batch that its callers have left may be in a place for a moment, and those who wait for it be a crowd.
            sort: Sort::Own(number as u32),
            panics: false,
        };
        let asking = Arc::clone(batcher);
        let task = Task::on(runtime, async move { asking.ask(question).await });
        callers.push(spawn(task));
        let mut rounds = 0;
        while oracle.all_under_way() <= number {
            rounds += 1;
            assert!(
                rounds < PATIENCE,
                "of {places} places only {number} are there"
            );
            yield_now().await;
        }
    }
    oracle.open();
    for (number, caller) in callers.into_iter().enumerate() {
        assert_eq!(caller.await.unwrap(), End::Done(Ok(number as u32)));
    }
}

pub(crate) fn more_come_than_may_wait() {
    block_on(async {
        let limits = Limits {
            lanes: 1,
            in_flight: 1,
            together: 1,
            waiting: 2,
        };
        let batcher = Batcher::new(Oracle::new(limits, true), limits);
        let runtime = Handle::default();
        let told = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let question = Question {
                    number,
                    sort: Sort::One,
                    panics: false,
                };
                let (batcher, told) = (Arc::clone(&batcher), Arc::clone(&told));
                spawn(Task::on(&runtime, async move {
                    let mut asking = std::pin::pin!(batcher.ask(question));
                    let mut is_new = true;
                    std::future::poll_fn(|cx| {
                        let answer = asking.as_mut().poll(cx);
                        if std::mem::take(&mut is_new) {
                            told.fetch_add(1, Ordering::SeqCst);
                        }
                        answer
                    })
                    .await
                }))
            })
            .collect();
        while told.load(Ordering::SeqCst) < CALLERS as usize {
            yield_now().await;
        }
        batcher.asker().open();
        let mut answered = 0;
        for (number, caller) in callers.into_iter().enumerate() {
            match caller.await.unwrap() {
                End::Done(Ok(answer)) => {
                    assert_eq!(answer, number as u32);
                    answered += 1;
                    saw("answered");
                }
                end => {
                    assert_eq!(end, End::Done(Err(Unanswered::LineFull)));
                    saw("line full");
                }
            }
        }
        // One under way and as many as may wait; who comes before that one has gone finds one place less.
        let most = 1 + limits.waiting;
        assert!(
            (most - 1..=most).contains(&answered),
            "{answered} were let in"
        );
        every_place_is_free(&batcher, &runtime).await;
    });
}

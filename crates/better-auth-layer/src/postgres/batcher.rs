//! Questions that wait at the same time are asked together.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;
use std::time::Duration;

use super::lane_load::LaneLoad;
use crate::sync::{Handle, Instant, Mutex, MutexGuard, oneshot};

/// Who is asked, over one of several lanes.
pub(super) trait Ask: Send + Sync + 'static {
    type Question: Send + Sync + 'static;
    type Answer: Send + 'static;
    /// Only questions of one sort go together.
    type Sort: PartialEq;

    fn sort(question: &Self::Question) -> Self::Sort;

    /// The answers to questions of one sort, one for each, in their order.
    fn ask(
        &self,
        lane: usize,
        questions: &[Self::Question],
    ) -> impl Future<Output = Vec<Self::Answer>> + Send;
}

/// How much is asked at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) lanes: usize,
    /// How many batches are under way on each lane.
    pub(super) in_flight: usize,
    /// How many questions one batch holds.
    pub(super) together: usize,
    /// How many questions wait.
    pub(super) waiting: usize,
}

/// How many batches of a crowd are under way on each lane: one that the server works on, and the next. With more there
/// would be fewer in each.
const CROWD_IN_FLIGHT: usize = 2;

/// After this time a batch is late, and others go by another lane if there is one.
const LATE: Duration = Duration::from_millis(10);

/// After this time a batch is slow, and nothing is put behind it: on its lane, answers come in the order of the
/// questions.
const SLOW: Duration = Duration::from_millis(100);

/// Asks each question at once while a lane has room, and else with all others of its sort that wait.
///
/// A batch runs in a task of its own, which ends with it; nothing runs while nobody asks. A caller who leaves takes the
/// question out of the line, and a batch that all of its callers have left is given up. Whatever becomes of a batch, its
/// place on the lane goes to those who wait.
pub(super) struct Batcher<A: Ask> {
    asker: A,
    limits: Limits,
    line: Mutex<Line<A>>,
}

struct Line<A: Ask> {
    lanes: Vec<LaneLoad>,
    waiting: VecDeque<Waiting<A>>,
    /// Whether several have had to wait, and something has been under way ever since.
    is_crowd: bool,
}

struct Waiting<A: Ask> {
    question: A::Question,
    caller: oneshot::Sender<A::Answer>,
    /// Where the caller waits, and so where somebody is interested in the answer.
    runtime: Handle,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// Too many are waiting already.
    LineFull,
    /// The batch was lost: its runtime ended, or it panicked.
    Lost,
}

/// A place on a lane. Dropped, it goes to those who wait.
struct Place<A: Ask> {
    batcher: Arc<Batcher<A>>,
    lane: usize,
}

/// A batch that may go, with its place.
struct Departure<A: Ask> {
    place: Place<A>,
    batch: Vec<Waiting<A>>,
    runtime: Handle,
}

impl<A: Ask> Batcher<A> {
    pub(super) fn new(asker: A, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            asker,
            line: Mutex::new(Line {
                lanes: vec![LaneLoad::default(); limits.lanes],
                waiting: VecDeque::new(),
                is_crowd: false,
            }),
            limits,
        })
    }

    pub(super) fn asker(&self) -> &A {
        &self.asker
    }

    /// The caller sets the deadline.
    pub(super) async fn ask(
        self: &Arc<Self>,
        question: A::Question,
    ) -> Result<A::Answer, Unanswered> {
        let (caller, answer) = oneshot::channel();
        self.line_up(Waiting {
            question,
            caller,
            runtime: Handle::current(),
        })?;
        self.depart();
        answer.await.map_err(|_| Unanswered::Lost)
    }

    fn line_up(&self, newcomer: Waiting<A>) -> Result<(), Unanswered> {
        let mut line = self.line();
        if line.waiting.len() >= self.limits.waiting {
            line.waiting.retain(|waiting| !waiting.caller.is_closed());
        }
        if line.waiting.len() >= self.limits.waiting {
            return Err(Unanswered::LineFull);
        }
        line.waiting.push_back(newcomer);
        Ok(())
    }

    /// Sends off what may go.
    fn depart(self: &Arc<Self>) {
        // One after the other and with the line unlocked: on a runtime that ends, a task is dropped as soon as it is
        // spawned, and its place comes back here.
        while let Some(departure) = self.next_departure() {
            let Departure {
                place,
                batch,
                runtime,
            } = departure;
            runtime.spawn(place.travel(batch));
        }
    }

    fn next_departure(self: &Arc<Self>) -> Option<Departure<A>> {
        let mut line = self.line();
        let line = &mut *line;
        let now = Instant::now();
        let is_idle = line.lanes.iter().all(|load| load.in_flight() == 0);
        line.is_crowd = line.waiting.len() > 1 || (line.is_crowd && !is_idle);
        let lane = line.free_lane(&self.limits, now)?;
        let batch = take_batch(&mut line.waiting, self.limits.together);
        let runtime = batch.first()?.runtime.clone();
        line.lanes.get_mut(lane)?.begin(now);
        Some(Departure {
            place: Place {
                batcher: Arc::clone(self),
                lane,
            },
            batch,
            runtime,
        })
    }

    fn line(&self) -> MutexGuard<'_, Line<A>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Ask> Line<A> {
    /// Where the next batch may go.
    fn free_lane(&self, limits: &Limits, now: Instant) -> Option<usize> {
        let most = match self.is_crowd {
            true => limits.in_flight.min(CROWD_IN_FLIGHT),
            false => limits.in_flight,
        };
        let free = |late: bool| {
            let lanes = self.lanes.iter().enumerate();
            lanes.filter(move |(_, load)| {
                load.in_flight() < most
                    && load.is_under_way_for(LATE, now) == late
                    && !load.is_under_way_for(SLOW, now)
            })
        };
        // A few lookups keep one process of the server awake; a crowd keeps all of them busy.
        let lane = match self.is_crowd {
            true => free(false).min_by_key(|(_, load)| load.in_flight()),
            false => free(false).next(),
        };
        lane.or_else(|| free(true).next()).map(|(lane, _)| lane)
    }
}

/// The first in the line who is still there, and those behind who ask for something of the same sort.
fn take_batch<A: Ask>(line: &mut VecDeque<Waiting<A>>, most: usize) -> Vec<Waiting<A>> {
    let mut batch: Vec<Waiting<A>> = Vec::new();
    let mut sort = None;
    let mut others = VecDeque::new();
    while let Some(waiting) = line.pop_front() {
        if waiting.caller.is_closed() {
            continue;
        }
        let its_sort = A::sort(&waiting.question);
        if *sort.get_or_insert(A::sort(&waiting.question)) == its_sort {
            batch.push(waiting);
        } else {
            others.push_back(waiting);
        }
        if batch.len() >= most {
            break;
        }
    }
    // Each keeps its place in the line.
    others.append(line);
    *line = others;
    batch
}

impl<A: Ask> Place<A> {
    async fn travel(self, batch: Vec<Waiting<A>>) {
        let (questions, mut callers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|waiting| (waiting.question, waiting.caller))
            .unzip();
        let answers = {
            let mut asking = pin!(self.batcher.asker.ask(self.lane, &questions));
            let mut deserted = pin!(async {
                for caller in &mut callers {
                    caller.closed().await;
                }
            });
            std::future::poll_fn(|cx| match asking.as_mut().poll(cx) {
                Poll::Ready(answers) => Poll::Ready(answers),
                Poll::Pending => deserted.as_mut().poll(cx).map(|()| Vec::new()),
            })
            .await
        };
        // Those who wait are on their way before those who have their answers think about them.
        drop(self);
        for (caller, answer) in callers.into_iter().zip(answers) {
            // Who has left does not need it.
            let _ = caller.send(answer);
        }
    }
}

impl<A: Ask> Drop for Place<A> {
    fn drop(&mut self) {
        if let Some(load) = self.batcher.line().lanes.get_mut(self.lane) {
            load.end();
        }
        self.batcher.depart();
    }
}

#[cfg(test)]
mod tests;

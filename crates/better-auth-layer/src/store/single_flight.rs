//! Identical lookups, asked once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::erased::BoxFuture;
use super::question::{Question, QuestionRef};
use super::{DynUserStore, Lookup, LookupKind, Resolution, StoreError, StoreErrorKind};
use crate::clock::Timestamp;
use crate::diagnostics::Check;
use crate::sync::{Instant, Mutex, MutexGuard, OnceLock, Semaphore};

/// How many locks the lookups under way are spread over, so that requests of different users hardly ever meet at one.
const SHARDS: usize = 16;

/// A store that is asked the same question by one caller at a time, for all who ask it.
///
/// Nobody gets an answer to a question that was asked before they came: a sign-out that is over when a request arrives
/// must be seen by that request. So those who come while a lookup runs do not share it but wait for the next one, and
/// share that. Of each question there is one lookup running and one waited for, however many ask.
///
/// No task runs in the background, the callers ask themselves: whoever has the [`Turn`] does. When that one is dropped
/// or panics, another of those who share the lookup asks again, and with the last of them the question is forgotten.
/// So there are never more questions here than callers.
pub(crate) struct SingleFlight {
    store: Arc<dyn DynUserStore>,
    /// After how long a caller who has the turn has given up or is not polled any more.
    longest_turn: Duration,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    lines: HashMap<Arc<Question>, Line>,
    turns: u64,
}

/// A question that is being asked, and those who wait to ask it again.
struct Line {
    /// Whose turn it is.
    turn: u64,
    since: Instant,
    next: Option<Waiting>,
}

struct Waiting {
    round: Arc<Round>,
    /// The latest time in their lookups.
    now: Timestamp,
}

/// The right to ask a question. Dropped, it goes to those who wait.
struct Turn {
    flights: Arc<SingleFlight>,
    question: Arc<Question>,
    number: u64,
}

/// Callers who share one lookup. Once it is their turn, it is theirs until there is an answer or the last of them is
/// gone.
struct Round {
    /// Has its one permit from when it is their turn. Who takes it asks; of one who is dropped it comes back and goes to
    /// another. Closed when there is an answer.
    baton: Semaphore,
    turn: Mutex<Option<Turn>>,
    now: OnceLock<Timestamp>,
    answer: OnceLock<Result<Resolution, StoreError>>,
}

enum Place {
    /// Nobody else asks this just now.
    Front(Turn),
    /// Somebody does.
    Behind(Arc<Round>),
}

impl SingleFlight {
    /// `longest_turn`: how long a lookup may take before its caller gives it up.
    pub(crate) fn around(
        store: Arc<dyn DynUserStore>,
        longest_turn: Duration,
    ) -> Arc<dyn DynUserStore> {
        Arc::new(Self {
            store,
            longest_turn,
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        })
    }

    async fn ask(self: Arc<Self>, lookup: Lookup<'static>) -> Result<Resolution, StoreError> {
        let store = Arc::clone(&self.store);
        match self.line_up(&lookup) {
            Place::Front(turn) => {
                let answer = store.resolve(lookup).await;
                drop(turn);
                answer
            }
            Place::Behind(round) => round.ask(store, lookup).await,
        }
    }

    fn line_up(self: Arc<Self>, lookup: &Lookup<'static>) -> Place {
        let question = Arc::new(QuestionRef::of(lookup).to_owned());
        let mut shard = self.shard(&question);
        shard.turns += 1;
        let number = shard.turns;
        let begun = Line {
            turn: number,
            since: Instant::now(),
            next: None,
        };
        match shard.lines.entry(Arc::clone(&question)) {
            Entry::Vacant(place) => {
                place.insert(begun);
            }
            Entry::Occupied(mut place) => {
                let line = place.get_mut();
                if begun.since.saturating_duration_since(line.since) < self.longest_turn {
                    return Place::Behind(line.join(lookup.now()));
                }
                // Whoever has the turn is not polled any more and may never be. Those who wait are next after this one.
                line.turn = begun.turn;
                line.since = begun.since;
            }
        }
        drop(shard);
        Place::Front(Turn {
            flights: self,
            question,
            number,
        })
    }

    fn shard(&self, question: &Question) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(question) as usize;
        // Always there; the first one keeps the compiler content.
        let [first, ..] = &self.shards;
        let shard = self.shards.get(hash % SHARDS).unwrap_or(first);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DynUserStore for SingleFlight {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>> {
        Box::pin(self.ask(lookup))
    }

    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        self.store.try_resolve(lookup)
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.store.supports(kind)
    }

    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>> {
        Arc::clone(&self.store).ready()
    }

    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>> {
        Arc::clone(&self.store).diagnose()
    }

    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>> {
        Arc::clone(&self.store).server_time()
    }
}

impl Line {
    fn join(&mut self, now: Timestamp) -> Arc<Round> {
        let waiting = self.next.get_or_insert_with(|| Waiting {
            round: Arc::new(Round::new()),
            now,
        });
        waiting.now = waiting.now.max(now);
        Arc::clone(&waiting.round)
    }
}

impl Round {
    fn new() -> Self {
        Self {
            baton: Semaphore::new(0),
            turn: Mutex::default(),
            now: OnceLock::new(),
            answer: OnceLock::new(),
        }
    }

    fn begin(&self, turn: Turn, now: Timestamp) {
        let _ = self.now.set(now);
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
        self.baton.add_permits(1);
    }

    async fn ask(
        &self,
        store: Arc<dyn DynUserStore>,
        lookup: Lookup<'static>,
    ) -> Result<Resolution, StoreError> {
        let Ok(_baton) = self.baton.acquire().await else {
            let answer = self.answer.get().map(share);
            return answer.unwrap_or(Err(StoreErrorKind::Unavailable.into()));
        };
        let now = self.now.get().copied().unwrap_or(lookup.now());
        let answer = store.resolve(lookup.at(now)).await;
        let _ = self.answer.set(share(&answer));
        self.baton.close();
        let turn = self
            .turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(turn);
        answer
    }
}

fn share(answer: &Result<Resolution, StoreError>) -> Result<Resolution, StoreError> {
    answer.as_ref().map_err(StoreError::share).cloned()
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(Waiting { round, now }) = self.next() else {
            return;
        };
        // If nobody is in the round any more, it ends here, and this turn with it.
        round.begin(
            Self {
                flights: Arc::clone(&self.flights),
                question: Arc::clone(&self.question),
                number: self.number,
            },
            now,
        );
    }
}

impl Turn {
    /// Takes those who wait out of the line; they do not wait from now on, and who comes later waits behind them.
    fn next(&self) -> Option<Waiting> {
        let mut shard = self.flights.shard(&self.question);
        let line = shard.lines.get_mut(&self.question)?;
        if line.turn != self.number {
            // Somebody took it over.
            return None;
        }
        let next = line.next.take();
        match &next {
            Some(_) => line.since = Instant::now(),
            None => {
                shard.lines.remove(&self.question);
            }
        }
        next
    }
}

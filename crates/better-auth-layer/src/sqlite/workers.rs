//! Reads that wait at the same time are done one after the other on one thread.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::connection::Connection;
use super::file_id::FileId;
use super::interrupt::Interrupt;
use super::read::Read;
use crate::store::{StoreError, StoreErrorKind, catch_panic};

/// How many reads one thread does before it is given back to the runtime, which may be about to end.
const MOST_TOGETHER: usize = 64;

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long a read may take, waiting included.
    pub(super) deadline: Duration,
    pub(super) connections: usize,
    /// How many reads wait.
    pub(super) waiting: usize,
}

/// Reads a file on the runtime's threads for blocking work, on as many as there may be connections.
///
/// A thread goes on with the next one who waits, in the same transaction as long as that one was asked before it began:
/// the hand-over between threads and the locks on the file cost more than a lookup does, and nobody misses what was
/// committed before they asked. Each read waits in the line until a thread has time for it, so a slow one holds up nobody
/// but those behind all threads. A caller who leaves takes the read out of the line, or interrupts it.
pub(super) struct Workers {
    path: PathBuf,
    limits: Limits,
    line: Mutex<Line>,
    idle: Mutex<Vec<Idle>>,
    /// How many have left the line since it was last full.
    left: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Line {
    /// Each with its number.
    waiting: VecDeque<(u64, Read)>,
    /// The number of the next one.
    next: u64,
    /// Threads that have a place.
    working: usize,
    /// Those of them that have not looked at the line yet.
    starting: usize,
}

/// A read that has its turn.
struct Turn {
    number: u64,
    read: Read,
    /// All who wait have lower numbers.
    end_of_line: u64,
}

/// A connection that nobody uses, and the file that it was opened on.
struct Idle {
    connection: Connection,
    file: FileId,
}

/// The right to work. Dropped, it goes to those who wait.
struct Place {
    workers: Arc<Workers>,
    has_looked: bool,
    goes_to_others: bool,
}

impl Workers {
    pub(super) fn new(path: PathBuf, limits: Limits) -> Self {
        Self {
            path,
            limits,
            line: Mutex::default(),
            idle: Mutex::default(),
            left: Arc::default(),
        }
    }

    /// Does blocking work with a connection, under the deadline.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, answer) = oneshot::channel();
        let (_interrupt, interruptible) = Interrupt::new(&self.left);
        let answer = tokio::time::timeout(self.limits.deadline, async {
            self.line_up(Read::new(work, caller, interruptible))?;
            self.depart();
            let lost =
                |_| StoreError::new(StoreErrorKind::Unavailable, "there is no thread for it");
            answer.await.map_err(lost)?
        });
        answer.await.unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    fn line_up(&self, newcomer: Read) -> Result<(), StoreError> {
        let mut line = self.line();
        if self.is_full(&line) && self.left.swap(0, Ordering::Relaxed) > 0 {
            line.waiting.retain(|(_, read)| !read.is_over());
        }
        if self.is_full(&line) {
            let cause = "too many lookups are waiting already";
            return Err(StoreError::new(StoreErrorKind::Unavailable, cause));
        }
        let number = line.next;
        line.next += 1;
        line.waiting.push_back((number, newcomer));
        Ok(())
    }

    /// Who only waits until a thread has begun does not count.
    fn is_full(&self, line: &Line) -> bool {
        let at_once = self.limits.connections - line.working + line.starting;
        line.waiting.len() >= self.limits.waiting + at_once
    }

    /// Puts to work whom there is room for.
    fn depart(self: &Arc<Self>) {
        while let Some((number, runtime)) = self.next_departure() {
            // On a runtime that ends, the work is dropped while Tokio holds a lock of that runtime: only we may find out
            // what that means, afterwards. Where the system gives no thread, the work stays with Tokio.
            let place = Arc::new(Mutex::new(Some(Place {
                workers: Arc::clone(self),
                has_looked: false,
                goes_to_others: true,
            })));
            let theirs = Arc::clone(&place);
            let spawned = catch_panic(|| {
                runtime.spawn_blocking(move || {
                    if let Some(place) = taken(&theirs) {
                        place.work();
                    }
                })
            });
            let is_refused = spawned.is_err() || Arc::strong_count(&place) == 1;
            if is_refused && let Some(place) = taken(&place) {
                place.give_back();
                // Who has no runtime any more has no answer either.
                let mut line = self.line();
                let refused = line.waiting.iter().position(|(other, _)| *other == number);
                let refused = refused.and_then(|index| line.waiting.remove(index));
                drop(line);
                drop(refused);
            }
        }
    }

    /// One of those who wait, and its runtime, where there is room for another thread and work for it.
    fn next_departure(&self) -> Option<(u64, Handle)> {
        let mut line = self.line();
        let line = &mut *line;
        while line.waiting.front().is_some_and(|(_, read)| read.is_over()) {
            line.waiting.pop_front();
        }
        if line.working >= self.limits.connections || line.waiting.len() <= line.starting {
            return None;
        }
        let (number, read) = line.waiting.get(line.starting)?;
        line.working += 1;
        line.starting += 1;
        Some((*number, read.runtime()))
    }

    fn next_turn(&self) -> Option<Turn> {
        let mut line = self.line();
        loop {
            let (number, read) = line.waiting.pop_front()?;
            if !read.is_over() {
                return Some(Turn {
                    number,
                    read,
                    end_of_line: line.next,
                });
            }
        }
    }

    /// A connection to the file that stands at the path now; those to one that stood there before are closed.
    fn take(&self) -> Result<Idle, StoreError> {
        let Some(file) = FileId::of(&self.path) else {
            let cause = "the file is not there";
            return Err(StoreError::new(StoreErrorKind::Unavailable, cause));
        };
        let idle = {
            let mut idle = self.idle();
            idle.retain(|idle| idle.file == file);
            idle.pop()
        };
        let idle = match idle {
            Some(idle) => idle,
            None => Idle {
                connection: Connection::open(&self.path, self.limits.deadline)?,
                file,
            },
        };
        idle.connection.begin()?;
        Ok(idle)
    }

    /// Ends the transaction, and keeps the connection for the next one.
    fn put_back(&self, idle: Idle) {
        if idle.connection.end().is_ok() {
            self.idle().push(idle);
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn work(mut self) {
        self.has_looked = true;
        self.workers.line().starting -= 1;
        let mut taken: Option<Idle> = None;
        // Those with lower numbers were asked before the transaction began.
        let mut begun_at = 0;
        for _ in 0..MOST_TOGETHER {
            let Some(turn) = self.workers.next_turn() else {
                break;
            };
            if turn.number >= begun_at
                && let Some(idle) = taken.take()
            {
                self.workers.put_back(idle);
            }
            let mut idle = match taken.take() {
                Some(idle) => idle,
                None => match self.workers.take() {
                    Ok(idle) => {
                        begun_at = turn.end_of_line;
                        idle
                    }
                    Err(error) => {
                        turn.read.run(Err(error));
                        continue;
                    }
                },
            };
            if turn.read.run(Ok(&mut idle.connection)) {
                taken = Some(idle);
            }
        }
        if let Some(idle) = taken {
            self.workers.put_back(idle);
        }
    }

    /// Ends it without looking for others.
    fn give_back(mut self) {
        self.goes_to_others = false;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = self.workers.line();
        line.working -= 1;
        if !self.has_looked {
            line.starting -= 1;
        }
        drop(line);
        if self.goes_to_others {
            self.workers.depart();
        }
    }
}

fn taken(place: &Mutex<Option<Place>>) -> Option<Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

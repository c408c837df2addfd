//! Reads that wait at the same time are done one after the other on one thread.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot::{self, error::RecvError};

use super::connection::Connection;
use super::file_id::FileId;
use super::interrupt::Interrupt;
use super::read::Read;
use crate::store::{StoreError, StoreErrorKind};

/// How many reads one thread does before the runtime's other blocking work has its turn.
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
/// A thread takes all reads that wait with it, and does them in one transaction: the hand-over between threads and the
/// locks on the file cost more than a lookup does. All of them were asked before the transaction begins, so none
/// misses what was committed before it was asked. A caller who leaves takes the read out of the line, or interrupts it.
pub(super) struct Workers {
    path: PathBuf,
    limits: Limits,
    line: Mutex<Line>,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Read>,
    working: usize,
}

/// A connection that nobody uses, and the file that it was opened on.
struct Idle {
    connection: Connection,
    file: FileId,
}

/// The right to work. Dropped, it goes to those who wait.
struct Place(Arc<Workers>);

impl Workers {
    pub(super) fn new(path: PathBuf, limits: Limits) -> Self {
        Self {
            path,
            limits,
            line: Mutex::default(),
            idle: Mutex::default(),
        }
    }

    /// Does blocking work with a connection, under the deadline.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&mut Connection) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let work = Arc::new(work);
        let deadline = self.limits.deadline;
        let answer = tokio::time::timeout(deadline, async {
            let lost = match self.ask(&work).await {
                Ok(answer) => return answer,
                Err(lost) => lost,
            };
            tracing::debug!(error = %lost, "a runtime ended that had this read among its own; it is asked again");
            let answer = self.ask(&work).await;
            answer.unwrap_or_else(|lost| Err(StoreError::new(StoreErrorKind::Unavailable, lost)))
        });
        answer.await.unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    /// The outer error where the answer was lost with the runtime whose thread should have found it.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: &Arc<impl Fn(&mut Connection) -> Result<T, StoreError> + Send + Sync + 'static>,
    ) -> Result<Result<T, StoreError>, RecvError> {
        let (caller, answer) = oneshot::channel();
        let (_interrupt, interruptible) = Interrupt::new();
        let read = Read::new(Arc::clone(work), caller, interruptible);
        if let Err(full) = self.line_up(read) {
            return Ok(Err(full));
        }
        self.depart();
        answer.await
    }

    fn line_up(&self, newcomer: Read) -> Result<(), StoreError> {
        let mut line = self.line();
        if line.waiting.len() >= self.limits.waiting {
            line.waiting.retain(|read| !read.is_over());
        }
        if line.waiting.len() >= self.limits.waiting {
            let cause = "too many lookups are waiting already";
            return Err(StoreError::new(StoreErrorKind::Unavailable, cause));
        }
        line.waiting.push_back(newcomer);
        Ok(())
    }

    /// Puts to work whom there is room for.
    fn depart(self: &Arc<Self>) {
        // One after the other and with the line unlocked: on a runtime that ends, the work is dropped as soon as it is
        // spawned, and its place comes back here.
        while let Some((place, reads)) = self.next_departure() {
            let Some(first) = reads.first() else { return };
            let runtime = first.runtime();
            runtime.spawn_blocking(move || place.work(reads));
        }
    }

    fn next_departure(self: &Arc<Self>) -> Option<(Place, Vec<Read>)> {
        let mut line = self.line();
        if line.working >= self.limits.connections || line.waiting.is_empty() {
            return None;
        }
        line.working += 1;
        let count = line.waiting.len().min(MOST_TOGETHER);
        let reads = line.waiting.drain(..count).collect();
        Some((Place(Arc::clone(self)), reads))
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

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn work(self, reads: Vec<Read>) {
        let mut taken: Option<Idle> = None;
        for read in reads {
            if read.is_over() {
                continue;
            }
            let mut idle = match taken.take().map_or_else(|| self.0.take(), Ok) {
                Ok(idle) => idle,
                Err(error) => {
                    read.run(Err(error));
                    continue;
                }
            };
            if read.run(Ok(&mut idle.connection)) {
                taken = Some(idle);
            }
        }
        if let Some(idle) = taken
            && idle.connection.end().is_ok()
        {
            self.0.idle().push(idle);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.line().working -= 1;
        self.0.depart();
    }
}

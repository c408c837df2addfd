//! Runs reads on dedicated threads, several in one transaction.
//!
//! Each connection belongs to one thread. Threads start when they are needed, and end with the
//! store. They belong to no Tokio runtime, so a runtime that shuts down affects no lookup of
//! another runtime.
//!
//! A thread runs queued reads in one transaction if they were queued before the transaction began,
//! so every lookup sees everything that was committed before it was sent. A slow read delays
//! another one only if all threads are busy. A cancelled read is removed from the queue or
//! interrupted.

use std::collections::VecDeque;
use std::iter;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::connection::Connection;
use super::file_id::FileId;
use super::read::Read;
use crate::store::{StoreError, StoreErrorKind, catch_panic};
use crate::sync::{Mutex, lock};

/// Maximum number of reads in a transaction, which prevents checkpoints of a write-ahead log.
const MAX_BATCH: usize = 64;

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Includes the time in the queue.
    pub(super) query_timeout: Duration,
    pub(super) connections: usize,
    pub(super) queue_capacity: usize,
}

/// A queue of reads and the threads that run them. The threads end when this is dropped.
pub(super) struct Workers {
    shared: Arc<Shared>,
    /// Number of reads cancelled while queued, since the queue was last full.
    cancelled: Arc<AtomicUsize>,
}

struct Shared {
    path: PathBuf,
    limits: Limits,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Reads with consecutive numbers.
    reads: VecDeque<(u64, Read)>,
    /// Number of the next read.
    next: u64,
    threads: usize,
    /// Threads that run a batch. The others wait for reads, or are starting.
    busy: usize,
    is_closed: bool,
}

/// The first read of a batch, and the number of the first read that is too late for the batch.
struct Batch {
    first: Read,
    end: u64,
}

/// A connection, and the file on which it was opened.
struct OpenFile {
    connection: Connection,
    id: FileId,
}

impl Workers {
    pub(super) fn new(path: PathBuf, limits: Limits) -> Self {
        Self {
            shared: Arc::new(Shared {
                path,
                limits,
                queue: Mutex::default(),
                changed: Condvar::new(),
            }),
            cancelled: Arc::default(),
        }
    }

    /// Runs blocking work with a connection, with the query timeout.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, result) = oneshot::channel();
        let (read, _cancel_on_drop) = Read::new(work, caller, &self.cancelled);
        let result = tokio::time::timeout(self.shared.limits.query_timeout, async {
            self.enqueue(read)?;
            let lost = |_| unavailable("no thread can run the lookup");
            result.await.map_err(lost)?
        });
        result.await.unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    fn enqueue(&self, read: Read) -> Result<(), StoreError> {
        let limits = &self.shared.limits;
        let mut queue = lock(&self.shared.queue);
        if queue.is_full(limits) && self.cancelled.swap(0, Ordering::Relaxed) > 0 {
            queue.reads.retain(|(_, read)| !read.is_cancelled());
        }
        if queue.is_full(limits) {
            return Err(unavailable("too many lookups are waiting already"));
        }
        let number = queue.next;
        queue.next += 1;
        queue.reads.push_back((number, read));
        let needs_thread = queue.reads.len() > queue.threads - queue.busy;
        if needs_thread && queue.threads < limits.connections {
            queue.threads += 1;
            drop(queue);
            Shared::start_thread(&self.shared);
        } else {
            drop(queue);
            self.shared.changed.notify_one();
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        lock(&self.shared.queue).is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Queue {
    /// Reads for which there is a free thread, or for which one can start, do not count.
    fn is_full(&self, limits: &Limits) -> bool {
        self.reads.len() >= limits.queue_capacity + limits.connections - self.busy
    }

    /// Removes the first read, unless its number is `end` or higher.
    fn pop_before(&mut self, end: u64) -> Option<Read> {
        while self.reads.front().is_some_and(|(number, _)| *number < end) {
            let (_, read) = self.reads.pop_front()?;
            if !read.is_cancelled() {
                return Some(read);
            }
        }
        None
    }
}

impl Shared {
    fn start_thread(this: &Arc<Self>) {
        let shared = Arc::clone(this);
        let thread = std::thread::Builder::new().name("sqlite-lookups".to_owned());
        if thread.spawn(move || shared.run_batches()).is_ok() {
            return;
        }
        let mut queue = lock(&this.queue);
        queue.threads -= 1;
        if queue.threads == 0 {
            // No thread will run the queued reads. Their callers get an error when they are
            // dropped.
            let reads = std::mem::take(&mut queue.reads);
            drop(queue);
            drop(reads);
        }
    }

    /// The loop of a thread.
    fn run_batches(&self) {
        let mut file = None;
        while let Some(batch) = self.next_batch() {
            // If a batch panics in spite of all precautions, the thread continues.
            file = catch_panic(|| self.run(batch, file.take())).unwrap_or(None);
            lock(&self.queue).busy -= 1;
        }
    }

    /// Waits for a read. Returns `None` when the store is dropped.
    fn next_batch(&self) -> Option<Batch> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(first) = queue.pop_before(u64::MAX) {
                queue.busy += 1;
                let end = queue.next;
                return Some(Batch { first, end });
            }
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Runs a batch in one transaction. Returns the connection if it can be used again.
    fn run(&self, batch: Batch, file: Option<OpenFile>) -> Option<OpenFile> {
        let mut file = match self.begin(file) {
            Ok(file) => file,
            Err(error) => {
                batch.first.run(Err(error));
                return None;
            }
        };
        let queued = || lock(&self.queue).pop_before(batch.end);
        let reads = iter::once(batch.first).chain(iter::from_fn(queued));
        for read in reads.take(MAX_BATCH) {
            if !read.run(Ok(&mut file.connection)) {
                return None;
            }
        }
        file.connection.end().is_ok().then_some(file)
    }

    /// Begins a transaction. Opens the file if another file is at the path now.
    fn begin(&self, file: Option<OpenFile>) -> Result<OpenFile, StoreError> {
        let Some(id) = FileId::of(&self.path) else {
            return Err(unavailable("the file does not exist"));
        };
        let file = match file.filter(|file| file.id == id) {
            Some(file) => file,
            None => OpenFile {
                connection: Connection::open(&self.path, self.limits.query_timeout)?,
                id,
            },
        };
        file.connection.begin()?;
        Ok(file)
    }
}

fn unavailable(cause: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, cause)
}

//! A read: blocking work with a connection, which its caller can cancel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::InterruptHandle;
use tokio::sync::oneshot;

use super::connection::Connection;
use crate::store::{StoreError, catch_panic};
use crate::sync::{Mutex, lock};

type Work = Box<dyn FnOnce(Result<&mut Connection, StoreError>) -> bool + Send>;

/// The work of one caller, run on another thread.
pub(super) struct Read {
    work: Work,
    state: Arc<Mutex<State>>,
}

/// The caller's guard. On drop, the read is interrupted, or not started.
pub(super) struct CancelOnDrop {
    state: Arc<Mutex<State>>,
    cancelled: Arc<AtomicUsize>,
}

#[derive(Default)]
enum State {
    #[default]
    Queued,
    Running(InterruptHandle),
    Finished,
    Cancelled,
}

impl Read {
    /// `cancelled` counts the reads that are cancelled while they are queued.
    pub(super) fn new<T: Send + 'static>(
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
        caller: oneshot::Sender<Result<T, StoreError>>,
        cancelled: &Arc<AtomicUsize>,
    ) -> (Self, CancelOnDrop) {
        let state = Arc::new(Mutex::new(State::Queued));
        let guard = CancelOnDrop {
            state: Arc::clone(&state),
            cancelled: Arc::clone(cancelled),
        };
        // Events on the worker thread go to the caller's subscriber.
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let run = {
            let state = Arc::clone(&state);
            move |connection: Result<&mut Connection, StoreError>| {
                let started = connection.and_then(|connection| {
                    start(&state, connection)?;
                    Ok(connection)
                });
                let (result, is_reusable) = match started {
                    Ok(connection) => {
                        let result = catch_panic(|| work(connection));
                        // An interrupted connection is not reused: the interrupt may arrive late
                        // and affect the next read.
                        let is_reusable = finish(&state) && result.is_ok();
                        (result.unwrap_or_else(Err), is_reusable)
                    }
                    Err(error) => (Err(error), true),
                };
                // Fails if the caller has cancelled the read.
                let _ = caller.send(result);
                is_reusable
            }
        };
        let work = Box::new(move |connection: Result<&mut Connection, StoreError>| {
            tracing::dispatcher::with_default(&dispatch, || run(connection))
        });
        (Self { work, state }, guard)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        matches!(*lock(&self.state), State::Cancelled)
    }

    /// Sends the result to the caller. Returns `false` if the connection must not be used again.
    pub(super) fn run(self, connection: Result<&mut Connection, StoreError>) -> bool {
        (self.work)(connection)
    }
}

/// From here on, the caller may interrupt the connection. Fails if the read is cancelled.
fn start(state: &Mutex<State>, connection: &Connection) -> Result<(), StoreError> {
    let mut state = lock(state);
    if matches!(*state, State::Cancelled) {
        return Err(StoreError::timeout());
    }
    *state = State::Running(connection.interrupt_handle());
    Ok(())
}

/// From here on, the caller cannot interrupt the connection. Returns `false` if the caller has.
fn finish(state: &Mutex<State>) -> bool {
    let previous = std::mem::replace(&mut *lock(state), State::Finished);
    matches!(previous, State::Running(_))
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        match &*state {
            State::Running(handle) => handle.interrupt(),
            State::Queued => {
                self.cancelled.fetch_add(1, Ordering::Relaxed);
            }
            State::Finished | State::Cancelled => return,
        }
        *state = State::Cancelled;
    }
}

//! Ends a lookup that nobody waits for any more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::InterruptHandle;

use super::connection::Connection;
use crate::store::StoreError;

/// In the hands of the one who waits: dropped, it interrupts the work, or keeps it from beginning.
pub(super) struct Interrupt {
    shared: Arc<Shared>,
    left: Arc<AtomicUsize>,
}

/// In the hands of the thread that works.
#[derive(Clone)]
pub(super) struct Interruptible(Arc<Shared>);

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Waiting,
    Working(InterruptHandle),
    /// The work is done, or nobody waits for it.
    Over,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interrupt {
    /// Counts those who leave before the work has begun.
    pub(super) fn new(left: &Arc<AtomicUsize>) -> (Self, Interruptible) {
        let shared = Arc::new(Shared::default());
        let interrupt = Self {
            shared: Arc::clone(&shared),
            left: Arc::clone(left),
        };
        (interrupt, Interruptible(shared))
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        match &*state {
            State::Working(handle) => handle.interrupt(),
            State::Waiting => {
                self.left.fetch_add(1, Ordering::Relaxed);
            }
            State::Over => {}
        }
        *state = State::Over;
    }
}

impl Interruptible {
    /// From here on the connection may be interrupted. An error where nobody waits any more.
    pub(super) fn begin(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut state = self.0.state();
        if matches!(*state, State::Over) {
            return Err(StoreError::timeout());
        }
        *state = State::Working(connection.interrupt_handle());
        Ok(())
    }

    /// Whether the work is done, or nobody waits for it.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.0.state(), State::Over)
    }

    /// From here on it is not; `false` where it has been.
    pub(super) fn end(&self) -> bool {
        let over = std::mem::replace(&mut *self.0.state(), State::Over);
        matches!(over, State::Working(_))
    }
}

//! Work with a connection, for a caller who waits elsewhere.

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::connection::Connection;
use super::interrupt::Interruptible;
use crate::store::{StoreError, catch_panic};

type Work = Box<dyn FnOnce(Result<&mut Connection, StoreError>) -> bool + Send>;

/// One caller's work, on its way to a thread.
pub(super) struct Read {
    work: Work,
    interruptible: Interruptible,
    /// Where the caller waits.
    runtime: Handle,
}

impl Read {
    pub(super) fn new<T: Send + 'static>(
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
        caller: oneshot::Sender<Result<T, StoreError>>,
        interruptible: Interruptible,
    ) -> Self {
        let own = interruptible.clone();
        // What is logged on the other thread goes where the caller's own events go.
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let read = move |connection: Result<&mut Connection, StoreError>| {
            let begun = connection.and_then(|connection| {
                own.begin(connection)?;
                Ok(connection)
            });
            let (result, is_fit) = match begun {
                Ok(connection) => {
                    let result = catch_panic(|| work(connection));
                    // Once nobody can interrupt it any more, the connection is fit for the next one.
                    let is_fit = own.end() && result.is_ok();
                    (result.unwrap_or_else(Err), is_fit)
                }
                Err(error) => (Err(error), true),
            };
            // Who has left does not need it.
            let _ = caller.send(result);
            is_fit
        };
        Self {
            work: Box::new(move |connection| {
                tracing::dispatcher::with_default(&dispatch, || read(connection))
            }),
            interruptible,
            runtime: Handle::current(),
        }
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_over(&self) -> bool {
        self.interruptible.is_over()
    }

    pub(super) fn runtime(&self) -> Handle {
        self.runtime.clone()
    }

    /// Answers the caller. `false` where the connection is not fit for another read.
    pub(super) fn run(self, connection: Result<&mut Connection, StoreError>) -> bool {
        (self.work)(connection)
    }
}

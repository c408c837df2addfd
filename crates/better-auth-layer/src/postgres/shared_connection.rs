//! A connection outside the pool, shared by concurrent lookups, with the queries in flight on it.
//!
//! A query can be orphaned: its caller goes away while the response is outstanding. The next
//! borrower of the connection would wait for that response. So the connection returns to the pool
//! after the response has arrived, and is closed if the response does not arrive soon or the
//! deadline has passed. Many cancelled requests therefore open no additional connections. Before
//! the connection is closed, its orphaned queries are cancelled: a server that waits for a lock
//! does not notice a closed connection, and each new connection would leave one more query behind.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{PostgresError, QueryError};
use super::pool::PoolHandle;

/// How long to wait for the responses to orphaned queries before they are cancelled.
const MAX_DRAIN: Duration = Duration::from_secs(1);

/// How long to repeat cancel requests before the connection is closed.
const MAX_CANCEL: Duration = Duration::from_secs(1);

/// The first pause between two cancel requests; it doubles each time. A cancel request stops only
/// the query that is running, so several pipelined queries need several requests.
const FIRST_CANCEL_PAUSE: Duration = Duration::from_millis(25);

/// A pooled connection that several lookups use at the same time.
///
/// Dropping it returns the connection to the pool, drains it or closes it; see [`Release`]. A query
/// that reaches its deadline makes the later queries on the connection fail with
/// [`QueryError::ConnectionLost`], because responses arrive in the order of the queries.
pub(super) struct SharedConnection {
    object: Option<Object>,
    may_prepare: bool,
    tls: MakeRustlsConnect,
    progress: Mutex<Progress>,
    blocked: Notify,
}

/// Queries are numbered in the order in which they are sent, which is the order of the responses.
struct Progress {
    sent: u64,
    answered: u64,
    /// The number of the last orphaned query.
    orphaned: u64,
    is_broken: bool,
    /// A query has reached its deadline without a response.
    is_blocked: bool,
    /// The latest deadline of all callers.
    deadline: Instant,
}

/// What happens to a connection after the last lookup has released it.
enum Release {
    ReturnToPool,
    Close,
    /// Wait for outstanding responses, and cancel the queries after the timeout.
    Drain(Duration),
}

impl Progress {
    fn release(&self) -> Release {
        // Callers of a blocked connection also report it as broken, but the server still works on
        // the queries, which must be cancelled.
        if self.is_broken && !self.is_blocked {
            Release::Close
        } else if self.orphaned <= self.answered {
            Release::ReturnToPool
        } else if self.is_blocked {
            Release::Drain(Duration::ZERO)
        } else {
            let left = self.deadline.saturating_duration_since(Instant::now());
            Release::Drain(left.min(MAX_DRAIN))
        }
    }
}

impl SharedConnection {
    pub(super) fn new(object: Object, pool: &PoolHandle, deadline: Instant) -> Self {
        Self {
            may_prepare: pool.direct.may_prepare(&object),
            object: Some(object),
            tls: pool.tls.clone(),
            progress: Mutex::new(Progress {
                sent: 0,
                answered: 0,
                orphaned: 0,
                is_broken: false,
                is_blocked: false,
                deadline,
            }),
            blocked: Notify::new(),
        }
    }

    pub(super) fn object(&self) -> Option<&Object> {
        self.object.as_ref()
    }

    /// Whether a statement prepared on this connection stays available and unchanged.
    pub(super) fn may_prepare(&self) -> bool {
        self.may_prepare
    }

    /// Whether another lookup may use the connection.
    pub(super) fn admits(&self, deadline: Instant) -> bool {
        let is_open = self.object().is_some_and(|object| !object.is_closed());
        let mut progress = self.progress();
        let is_usable = is_open && !progress.is_broken && !progress.is_blocked;
        if is_usable {
            progress.deadline = progress.deadline.max(deadline);
        }
        is_usable
    }

    /// Keeps the connection out of the pool from now on.
    pub(super) fn mark_broken(&self) {
        self.progress().is_broken = true;
    }

    /// Waits for the response to a query, or fails when another query blocks the connection.
    pub(super) async fn run<T>(
        &self,
        deadline: Instant,
        query: impl Future<Output = T>,
    ) -> Result<T, QueryError> {
        let mut blocked = pin!(self.blocked.notified());
        if self.progress().is_blocked {
            return Err(QueryError::ConnectionLost(PostgresError::blocked()));
        }
        let mut query = pin!(query);
        // Not a `select!`: the query counts as sent only if its first poll returns `Pending`.
        let mut in_flight = None;
        let response = poll_fn(|cx| match query.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending => {
                in_flight.get_or_insert_with(|| InFlight::on(self, deadline));
                blocked.as_mut().poll(cx).map(|()| None)
            }
        })
        .await;
        let response =
            response.ok_or_else(|| QueryError::ConnectionLost(PostgresError::blocked()))?;
        if let Some(in_flight) = in_flight {
            in_flight.answered();
        }
        Ok(response)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A query whose response is outstanding. Dropping it orphans the query.
struct InFlight<'a> {
    connection: &'a SharedConnection,
    deadline: Instant,
    number: u64,
    is_answered: bool,
}

impl<'a> InFlight<'a> {
    fn on(connection: &'a SharedConnection, deadline: Instant) -> Self {
        let mut progress = connection.progress();
        progress.sent += 1;
        Self {
            connection,
            deadline,
            number: progress.sent,
            is_answered: false,
        }
    }

    fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut progress = self.connection.progress();
        if self.is_answered {
            progress.answered = progress.answered.max(self.number);
            return;
        }
        progress.orphaned = progress.orphaned.max(self.number);
        if Instant::now() >= self.deadline {
            progress.is_blocked = true;
            drop(progress);
            self.connection.blocked.notify_waiters();
        }
    }
}

impl Drop for SharedConnection {
    fn drop(&mut self) {
        let progress = self
            .progress
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let release = progress.release();
        let Some(object) = self.object.take() else {
            return;
        };
        match release {
            Release::ReturnToPool => drop(object),
            Release::Close => drop(Object::take(object)),
            Release::Drain(timeout) => {
                let orphaned = OrphanedConnection(Some(object));
                if let Ok(runtime) = Handle::try_current() {
                    runtime.spawn(orphaned.drain(timeout, self.tls.clone()));
                }
            }
        }
    }
}

/// A connection with orphaned queries. Dropping it closes the connection.
struct OrphanedConnection(Option<Object>);

impl OrphanedConnection {
    /// Waits for the outstanding responses and returns the connection to the pool, or cancels the
    /// queries and closes the connection.
    async fn drain(mut self, max: Duration, tls: MakeRustlsConnect) {
        let Some(object) = &self.0 else {
            return;
        };
        if !max.is_zero() {
            // Responses arrive in the order of the queries, so after this response none is
            // outstanding.
            let drained = timeout(max, object.batch_execute("")).await;
            if matches!(drained, Ok(Ok(()))) {
                drop(self.0.take());
                return;
            }
        }
        if let Some(object) = self.0.take() {
            // Frees the pool's capacity before the cancel requests are sent.
            let client = Object::take(object);
            let _ = timeout(MAX_CANCEL, cancel(&client, &tls)).await;
        }
    }
}

/// Cancels the queries one after the other. The server runs all queries that it has received, even
/// after the connection is closed, and a busy server may need two requests for one query.
async fn cancel(client: &ClientWrapper, tls: &MakeRustlsConnect) {
    let token = client.cancel_token();
    let mut idle = pin!(client.batch_execute(""));
    let mut pause = FIRST_CANCEL_PAUSE;
    loop {
        let _ = token.cancel_query(tls.clone()).await;
        if timeout(pause, idle.as_mut()).await.is_ok() {
            return;
        }
        pause *= 2;
    }
}

impl Drop for OrphanedConnection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

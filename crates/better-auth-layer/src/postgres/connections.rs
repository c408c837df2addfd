//! Connections from the pool.

use std::time::{Duration, Instant};

use deadpool_postgres::{Object, Pool, PoolError};
use tokio::runtime::Handle;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Failure, PostgresError};
use crate::store::StoreError;

/// How long to wait between two attempts to connect, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How long a connection is waited for whose query nobody waits for any more.
const LONGEST_SETTLING: Duration = Duration::from_secs(1);

/// How long the server has to take note that a query need not go on.
const LONGEST_CANCELLING: Duration = Duration::from_secs(1);

/// What a connection is borrowed for.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// How to reach the server beside the connection.
    pub(super) tls: &'a MakeRustlsConnect,
    /// The lookup's deadline.
    pub(super) until: tokio::time::Instant,
    /// When another connection broke. Those of before are not trusted then: they end one after the other when a server
    /// goes away.
    pub(super) broken: Option<Instant>,
}

impl Terms<'_> {
    fn distrusts(&self, object: &Object) -> bool {
        self.broken
            .is_some_and(|broken| Object::metrics(object).created < broken)
    }
}

/// A connection on loan.
///
/// It goes back to the pool with [`release`](Self::release) and out of it with [`discard`](Self::discard). Dropped, it
/// still has an answer to come, for which the next borrower would wait. So it comes back when that answer is there, if
/// it is there soon, and not at all if the lookup's deadline is over. A crowd that asks and leaves therefore opens no
/// further connections. A query that is left behind is cancelled: a server that waits for a lock does not see that
/// nobody waits for it, and each new connection would leave one more behind.
pub(super) struct Connection {
    object: Option<Object>,
    tls: MakeRustlsConnect,
    until: tokio::time::Instant,
}

impl Connection {
    /// Borrows a connection, and tries again as long as the server may come up. The caller sets the deadline, and finds
    /// in `last_refusal` why the last attempt failed.
    pub(super) async fn acquire(
        pool: &Pool,
        terms: Terms<'_>,
        last_refusal: &mut Option<PostgresError>,
    ) -> Result<Self, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match Self::attempt(pool, terms).await {
                Ok(connection) => {
                    *last_refusal = None;
                    return Ok(connection);
                }
                Err(Failure::NotYet(error)) => *last_refusal = Some(error),
                Err(failure) => return Err(failure.into()),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Borrows a connection, or says at once why there is none.
    pub(super) async fn acquire_at_once(pool: &Pool, terms: Terms<'_>) -> Result<Self, StoreError> {
        Self::attempt(pool, terms).await.map_err(StoreError::from)
    }

    async fn attempt(pool: &Pool, terms: Terms<'_>) -> Result<Self, Failure> {
        loop {
            match pool.get().await {
                Ok(object) if terms.distrusts(&object) => drop(Object::take(object)),
                Ok(object) => {
                    return Ok(Self {
                        object: Some(object),
                        tls: terms.tls.clone(),
                        until: terms.until,
                    });
                }
                Err(PoolError::Backend(error)) => return Err(Failure::of_connecting(&error)),
                Err(PoolError::Timeout(_)) => {
                    return Err(Failure::NotYet(PostgresError::no_connection()));
                }
                Err(
                    PoolError::Closed
                    | PoolError::NoRuntimeSpecified
                    | PoolError::PostCreateHook(_),
                ) => return Err(Failure::Gone),
            }
        }
    }

    /// Runs a statement with parameters of known types: one round trip, and no prepared statement that a pooler could
    /// mix up with another client's.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Failure> {
        // Only what consumes the connection takes it out.
        let object = self.object.as_ref().ok_or(Failure::Gone)?;
        let result = object.query_typed(sql, parameters).await;
        result.map_err(|error| Failure::of_query(&error))
    }

    /// Gives the connection back to the pool.
    pub(super) fn release(mut self) {
        drop(self.object.take());
    }

    /// Takes the connection out of the pool.
    pub(super) fn discard(mut self) {
        drop(Abandoned(self.object.take()));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let abandoned = Abandoned(self.object.take());
        if abandoned.0.is_some()
            && let Ok(runtime) = Handle::try_current()
        {
            let left = self
                .until
                .saturating_duration_since(tokio::time::Instant::now());
            runtime.spawn(abandoned.settle(left.min(LONGEST_SETTLING), self.tls.clone()));
        }
    }
}

/// A connection whose answer nobody waits for. Dropped, it is taken out of the pool.
struct Abandoned(Option<Object>);

impl Abandoned {
    /// Waits for the answer, and gives up the query with the connection where it does not come.
    async fn settle(mut self, patience: Duration, tls: MakeRustlsConnect) {
        let Some(object) = &self.0 else {
            return;
        };
        if !patience.is_zero() {
            // Answers come in the order of the questions: when the one to a further question is there, none is
            // outstanding.
            let settled = tokio::time::timeout(patience, object.batch_execute("")).await;
            if matches!(settled, Ok(Ok(()))) {
                drop(self.0.take());
                return;
            }
        }
        let cancel = object.cancel_token();
        // Out of the pool first: what waits for a place there need not wait for this.
        drop(self);
        let _ = tokio::time::timeout(LONGEST_CANCELLING, cancel.cancel_query(tls)).await;
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

//! Connections from the pool.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Object, Pool, PoolError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::failure::{Failure, PostgresError};
use crate::store::StoreError;

/// How long to wait between two attempts to connect, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// A connection on loan.
///
/// Only [`release`](Self::release) gives it back. Dropped in any other way, because the caller is gone or the deadline
/// is over, it is taken out of the pool: its answer is still to come, and the next borrower would wait for it.
pub(super) struct Connection {
    object: Option<Object>,
}

impl Connection {
    /// Borrows a connection, and tries again as long as the server may come up. The caller sets the deadline, and finds
    /// there why the last attempt failed.
    pub(super) async fn acquire(
        pool: &Pool,
        last_refusal: &Mutex<Option<PostgresError>>,
    ) -> Result<Self, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match Self::attempt(pool).await {
                Ok(connection) => return Ok(connection),
                Err(Failure::NotYet(error)) => {
                    *last_refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
                Err(failure) => return Err(failure.into()),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Borrows a connection, or says at once why there is none.
    pub(super) async fn acquire_at_once(pool: &Pool) -> Result<Self, StoreError> {
        Self::attempt(pool).await.map_err(StoreError::from)
    }

    async fn attempt(pool: &Pool) -> Result<Self, Failure> {
        match pool.get().await {
            Ok(object) => Ok(Self {
                object: Some(object),
            }),
            Err(PoolError::Backend(error)) => Err(Failure::of_connecting(&error)),
            Err(PoolError::Timeout(_)) => Err(Failure::NotYet(PostgresError::no_connection())),
            Err(
                PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_),
            ) => Err(Failure::Gone),
        }
    }

    /// Runs a statement with parameters of known types: one round trip, and no prepared statement that a pooler could
    /// mix up with another client's.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Failure> {
        // Only `release` takes it out, and that takes the connection along.
        let object = self.object.as_ref().ok_or(Failure::Gone)?;
        let result = object.query_typed(sql, parameters).await;
        result.map_err(|error| Failure::of_query(&error))
    }

    /// Gives the connection back to the pool.
    pub(super) fn release(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

//! Connections from the pool.

use std::time::Duration;

use deadpool_postgres::{Object, Pool, PoolError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::failure::Failure;
use crate::store::{StoreError, StoreErrorKind};

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
    /// Borrows a connection, and tries again as long as the server may come up. The caller sets the deadline.
    pub(super) async fn acquire(pool: &Pool) -> Result<Self, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match pool.get().await {
                Ok(object) => {
                    return Ok(Self {
                        object: Some(object),
                    });
                }
                Err(PoolError::Backend(error)) => match Failure::of_connecting(&error) {
                    Failure::NotYet(_) => {}
                    failure => return Err(failure.into()),
                },
                Err(PoolError::Timeout(_)) => {}
                Err(
                    PoolError::Closed
                    | PoolError::NoRuntimeSpecified
                    | PoolError::PostCreateHook(_),
                ) => {
                    return Err(StoreErrorKind::Unavailable.into());
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Runs a statement with parameters of known types: one round trip, and no prepared statement that a pooler could
    /// mix up with another client's.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Failure> {
        let Some(object) = &self.object else {
            return Ok(Vec::new());
        };
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

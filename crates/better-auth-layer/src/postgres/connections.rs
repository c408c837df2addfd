//! Connections from the pool.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use deadpool_postgres::{Object, PoolError};
use tokio_postgres::Row;

use super::access::Access;
use super::direct::Direct;
use super::failure::{Failure, PostgresError};
use super::last_refusal::LastRefusal;
use super::link::Link;
use super::parameters::Parameter;
use crate::diagnostics::Check;
use crate::store::StoreError;

/// How long to wait between two attempts to connect, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What a connection is borrowed for.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) access: &'a Access,
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

/// A connection on loan, perhaps together with others.
///
/// Dropped, it is given back; see [`Link`] for where it goes. [`discard`](Self::discard) takes it out of the pool.
pub(super) struct Connection {
    link: Arc<Link>,
    until: tokio::time::Instant,
}

impl Connection {
    /// Borrows a connection, and tries again as long as the server may come up. The caller sets the deadline, and finds
    /// in `last_refusal` why the last attempt failed.
    pub(super) async fn acquire(
        terms: Terms<'_>,
        last_refusal: &LastRefusal,
    ) -> Result<Self, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match Self::attempt(terms).await {
                Ok(connection) => {
                    last_refusal.forget();
                    return Ok(connection);
                }
                Err(Failure::NotYet(error)) => last_refusal.is(error),
                Err(failure) => return Err(failure.into()),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Borrows a connection, or says at once why there is none.
    pub(super) async fn acquire_at_once(terms: Terms<'_>) -> Result<Self, StoreError> {
        Self::attempt(terms).await.map_err(StoreError::from)
    }

    async fn attempt(terms: Terms<'_>) -> Result<Self, Failure> {
        loop {
            match terms.access.pool.get().await {
                Ok(object) if terms.distrusts(&object) => drop(Object::take(object)),
                Ok(object) => {
                    let link = Link::new(object, terms.access, terms.until);
                    return Ok(Self {
                        link: Arc::new(link),
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

    /// Borrows a connection that is out of the pool already, if it is still as good as another one.
    pub(super) fn join(link: Arc<Link>, terms: Terms<'_>) -> Option<Self> {
        let is_trusted = !link.object().is_none_or(|object| terms.distrusts(object));
        (is_trusted && link.admits(terms.until)).then_some(Self {
            link,
            until: terms.until,
        })
    }

    /// The connection for others to [`join`](Self::join), for as long as somebody has it.
    pub(super) fn share(&self) -> Weak<Link> {
        Arc::downgrade(&self.link)
    }

    /// Runs a statement with parameters of known types: one round trip, and no prepared statement that a pooler could
    /// mix up with another client's.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let object = self.link.object().ok_or(Failure::Gone)?;
        let query = object.query_typed(sql, parameters);
        let answer = self.link.exchange(self.until, query).await?;
        answer.map_err(|error| Failure::of_query(&error))
    }

    /// The same for a statement that is asked again and again: prepared, where that is safe.
    pub(super) async fn query_often(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        if !self.link.may_prepare() {
            return self.query(sql, parameters).await;
        }
        match self.query_prepared(sql, parameters).await {
            // The types of its parameters are those of when it was prepared: what is no number may be an id by now.
            Err(Failure::BadText | Failure::BadValue(_)) => self.query(sql, parameters).await,
            answer => answer,
        }
    }

    async fn query_prepared(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let object = self.link.object().ok_or(Failure::Gone)?;
        let (values, types): (Vec<_>, Vec<_>) = parameters.iter().cloned().unzip();
        let preparing = object.prepare_typed_cached(sql, &types);
        let prepared = self.link.exchange(self.until, preparing).await?;
        let statement = prepared.map_err(|error| Failure::of_prepared_query(&error))?;
        let query = object.query(&statement, &values);
        let answer = self.link.exchange(self.until, query).await?;
        answer.map_err(|error| Failure::of_prepared_query(&error))
    }

    /// Forgets the prepared statements of all connections: the tables may be others than those they were prepared for.
    pub(super) fn forget_prepared(&self) {
        if let Some(pool) = self.link.object().and_then(Object::pool) {
            pool.manager().statement_caches.clear();
        }
    }

    /// What is done about statements on it.
    pub(super) async fn describe_statements(&self, direct: &Direct) -> Result<Check, Failure> {
        let object = self.link.object().ok_or(Failure::Gone)?;
        let description = direct.describe(object);
        self.link.exchange(self.until, description).await
    }

    /// Takes the connection out of the pool.
    pub(super) fn discard(self) {
        self.link.give_up();
    }
}

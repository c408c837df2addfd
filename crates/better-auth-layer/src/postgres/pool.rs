//! Pooled connections: how lookups acquire, share and query them.
//!
//! Each lookup has one deadline for everything. Within it, connection attempts are repeated until
//! the server is up, and the lookup is repeated once on a new connection if its connection is lost,
//! and once with newly found tables if the schema has changed. All queries work through a pooler:
//! parameter types are sent with the query, and statements are prepared on direct connections only.

use std::path::Path;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use deadpool_postgres::{Object, Pool, PoolError};
use tokio::sync::Mutex;
use tokio_postgres::Row;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{PostgresError, QueryError};
use super::pooler_detection::DirectConnections;
use super::query::Parameter;
use super::shared_connection::SharedConnection;
use super::url::Transport;
use crate::config_error::ConfigError;
use crate::diagnostics::Check;
use crate::store::{StoreError, StoreErrorKind};
use crate::tls::tls_config;

/// The first and the longest pause between two connection attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// The pool, and the data that its connections are used with.
pub(super) struct PoolHandle {
    pub(super) pool: Pool,
    /// For cancel requests, which use a separate connection.
    pub(super) tls: MakeRustlsConnect,
    pub(super) direct: Arc<DirectConnections>,
    pub(super) transport: Transport,
}

/// How to acquire a connection.
#[derive(Clone, Copy)]
pub(super) struct AcquireOptions<'a> {
    pub(super) pool: &'a PoolHandle,
    pub(super) source: ConnectionSource<'a>,
    pub(super) deadline: tokio::time::Instant,
    /// Connections opened before this time are closed. Set when a connection was lost: a server
    /// that shuts down ends its connections one after the other.
    pub(super) opened_after: Option<Instant>,
    pub(super) last_error: &'a LastConnectError,
}

#[derive(Clone, Copy)]
pub(super) enum ConnectionSource<'a> {
    /// The slot's connection, together with other lookups.
    Slot(&'a SharedSlot),
    /// A connection from the pool. Attempts are repeated while the server may be starting.
    Pool,
    /// A connection from the pool, with a single attempt.
    PoolOnce,
}

impl AcquireOptions<'_> {
    fn is_too_old(&self, object: &Object) -> bool {
        self.opened_after
            .is_some_and(|time| Object::metrics(object).created < time)
    }
}

/// Runs an operation on a connection: once more on a new connection if the first one is lost, and
/// once more if the schema has changed since it was discovered. The caller applies the deadline.
///
/// ```text
/// let mut retries = Retries::new(options);
/// loop {
///     let connection = retries.acquire().await?;
///     let result = attempt(&connection, &mut retries.discovered).await;
///     if let Some(result) = retries.finish(connection, result) {
///         return result;
///     }
/// }
/// ```
///
/// Not a function with a closure: the compiler cannot prove that the future of an async closure
/// with borrowed arguments is `Send`.
pub(super) struct Retries<'a, D> {
    options: AcquireOptions<'a>,
    pub(super) discovered: Discovered<D>,
}

/// The discovered tables or statement that an operation depends on.
pub(super) struct Discovered<D> {
    /// Used by the current attempt.
    pub(super) used: Option<Arc<D>>,
    /// Used by an earlier attempt, which failed because the schema had changed.
    pub(super) outdated: Option<Arc<D>>,
}

impl<'a, D> Retries<'a, D> {
    pub(super) fn new(options: AcquireOptions<'a>) -> Self {
        Self {
            options,
            discovered: Discovered {
                used: None,
                outdated: None,
            },
        }
    }

    pub(super) async fn acquire(&mut self) -> Result<Connection, StoreError> {
        self.discovered.used = None;
        Connection::acquire(self.options).await
    }

    /// Returns the result of the operation, or `None` if it is worth another attempt.
    pub(super) fn finish<T>(
        &mut self,
        connection: Connection,
        result: Result<T, QueryError>,
    ) -> Option<Result<T, StoreError>> {
        let Discovered { used, outdated } = &mut self.discovered;
        match result {
            Err(error @ QueryError::ConnectionLost(_)) => {
                connection.discard();
                if self.options.opened_after.is_some() {
                    return Some(Err(error.into()));
                }
                self.options.opened_after = Some(Instant::now());
                None
            }
            Err(QueryError::SchemaChanged(_)) if outdated.is_none() && used.is_some() => {
                *outdated = used.take();
                None
            }
            result => Some(result.map_err(StoreError::from)),
        }
    }
}

/// A borrowed connection, possibly shared with other lookups.
///
/// Dropping the last handle returns the connection to the pool; see [`SharedConnection`].
pub(super) struct Connection {
    shared: Arc<SharedConnection>,
    deadline: tokio::time::Instant,
}

impl Connection {
    pub(super) async fn acquire(options: AcquireOptions<'_>) -> Result<Self, StoreError> {
        match options.source {
            ConnectionSource::Slot(slot) => slot.acquire(options).await,
            ConnectionSource::Pool => Self::from_pool(options).await,
            ConnectionSource::PoolOnce => Ok(Self::attempt(options).await?),
        }
    }

    /// Repeats the attempt while the server may be starting. The caller applies the deadline, and
    /// finds the error of the last attempt in `last_error`.
    async fn from_pool(options: AcquireOptions<'_>) -> Result<Self, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match Self::attempt(options).await {
                Ok(connection) => {
                    options.last_error.clear();
                    return Ok(connection);
                }
                Err(QueryError::NotReady(error)) => options.last_error.set(error),
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    async fn attempt(options: AcquireOptions<'_>) -> Result<Self, QueryError> {
        loop {
            match options.pool.pool.get().await {
                Ok(object) if options.is_too_old(&object) => drop(Object::take(object)),
                Ok(object) => {
                    let shared = SharedConnection::new(object, options.pool, options.deadline);
                    return Ok(Self {
                        shared: Arc::new(shared),
                        deadline: options.deadline,
                    });
                }
                Err(PoolError::Backend(error)) => return Err(QueryError::from_connect(&error)),
                Err(PoolError::Timeout(_)) => {
                    return Err(QueryError::NotReady(PostgresError::no_connection()));
                }
                Err(
                    PoolError::Closed
                    | PoolError::NoRuntimeSpecified
                    | PoolError::PostCreateHook(_),
                ) => return Err(QueryError::NoConnection),
            }
        }
    }

    /// Uses a connection that other lookups use, if it is usable.
    fn join(shared: Arc<SharedConnection>, options: AcquireOptions<'_>) -> Option<Self> {
        let is_recent = shared
            .object()
            .is_some_and(|object| !options.is_too_old(object));
        (is_recent && shared.admits(options.deadline)).then_some(Self {
            shared,
            deadline: options.deadline,
        })
    }

    /// Runs a statement with typed parameters: one round trip, without a prepared statement that a
    /// pooler could confuse with one of another client.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, QueryError> {
        let query = self.object()?.query_typed(sql, parameters);
        let rows = self.shared.run(self.deadline, query).await?;
        rows.map_err(|error| QueryError::from_query(&error))
    }

    /// Runs a frequent statement, prepared where that is safe.
    pub(super) async fn query_often(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, QueryError> {
        if !self.shared.may_prepare() {
            return self.query(sql, parameters).await;
        }
        match self.query_prepared(sql, parameters).await {
            // A prepared statement keeps the parameter types of the time when it was prepared. The
            // column of the key may have another type now.
            Err(QueryError::InvalidText | QueryError::InvalidValue(_)) => {
                self.query(sql, parameters).await
            }
            result => result,
        }
    }

    async fn query_prepared(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, QueryError> {
        let object = self.object()?;
        let (values, types): (Vec<_>, Vec<_>) = parameters.iter().cloned().unzip();
        let prepare = object.prepare_typed_cached(sql, &types);
        let prepared = self.shared.run(self.deadline, prepare).await?;
        let statement = prepared.map_err(|error| QueryError::from_prepared_query(&error))?;
        let query = object.query(&statement, &values);
        let rows = self.shared.run(self.deadline, query).await?;
        rows.map_err(|error| QueryError::from_prepared_query(&error))
    }

    /// Clears the prepared statements of all connections, because the tables may have changed.
    pub(super) fn clear_prepared_statements(&self) {
        if let Some(pool) = self.shared.object().and_then(Object::pool) {
            pool.manager().statement_caches.clear();
        }
    }

    /// Reports whether statements are prepared on this connection.
    pub(super) async fn check_statements(
        &self,
        direct: &DirectConnections,
    ) -> Result<Check, QueryError> {
        let check = direct.check(self.object()?);
        self.shared.run(self.deadline, check).await
    }

    /// Removes the connection from the pool.
    fn discard(self) {
        self.shared.mark_broken();
    }

    fn object(&self) -> Result<&Object, QueryError> {
        self.shared.object().ok_or(QueryError::NoConnection)
    }
}

/// Shares one connection among concurrent lookups. The connection is in the pool while no lookup
/// uses it.
#[derive(Default)]
pub(super) struct SharedSlot {
    /// Locked while a connection is acquired, so that concurrent lookups share it.
    current: Mutex<Weak<SharedConnection>>,
}

impl SharedSlot {
    async fn acquire(&self, options: AcquireOptions<'_>) -> Result<Connection, StoreError> {
        let mut current = self.current.lock().await;
        let shared = current
            .upgrade()
            // A continuous sequence of lookups must not keep the connection from other users of
            // the pool.
            .filter(|_| options.pool.pool.status().waiting == 0)
            .and_then(|shared| Connection::join(shared, options));
        if let Some(connection) = shared {
            return Ok(connection);
        }
        let connection = Connection::from_pool(options).await?;
        *current = Arc::downgrade(&connection.shared);
        Ok(connection)
    }
}

/// The error of the last connection attempt, until an attempt succeeds. It is the cause of a lookup
/// that ends at its deadline.
#[derive(Default)]
pub(super) struct LastConnectError(std::sync::Mutex<Option<Arc<PostgresError>>>);

impl LastConnectError {
    fn set(&self, error: PostgresError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(error));
    }

    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn timeout(&self) -> StoreError {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(cause) => StoreError::new(StoreErrorKind::Timeout, Arc::clone(cause)),
            None => StoreError::timeout(),
        }
    }
}

/// Trusts the certificates in a file, or the public authorities without a file.
pub(super) fn tls_connector(
    root_certificates: Option<&Path>,
) -> Result<MakeRustlsConnect, ConfigError> {
    tls_config(root_certificates, "sslrootcert", "the database's").map(MakeRustlsConnect::new)
}

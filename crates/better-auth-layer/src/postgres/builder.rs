//! Configures a [`PostgresStore`]: its pool, its batches and its limits.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};

use super::batch::BatchLimits;
use super::pool::{PoolHandle, tls_connector};
use super::pooler_detection::{DirectConnections, StatementMode};
use super::store::PostgresStore;
use super::tables::KnownTables;
use super::url::PgUrl;
use crate::config_error::ConfigError;
use crate::schema::Schema;
use crate::sql::{MOST_WAITING, check_limits, check_range};

const MAX_BATCH_CONNECTIONS: usize = 64;
const MAX_IN_FLIGHT: usize = 64;

/// Bounds the size of a batch, so that no lookup waits for the results of too many others.
const MAX_BATCH: usize = 256;

/// Configures a [`PostgresStore`]; returned by [`PostgresStore::builder`].
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::postgres::PostgresStore;
/// use better_auth_layer::store::Schema;
///
/// let store = PostgresStore::builder("postgres://app:secret@db.example.com/app")
///     .schema(Schema::snake())
///     .query_timeout(Duration::from_secs(2))
///     .build()?;
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct PostgresStoreBuilder {
    url: String,
    schema: Schema,
    query_timeout: Duration,
    max_connections: usize,
    batch_connections: usize,
    max_in_flight: usize,
    queue_capacity: usize,
    statement_mode: StatementMode,
    schema_refresh: Duration,
    root_certificates: Option<PathBuf>,
}

impl PostgresStore {
    /// Starts configuring a store for a database.
    pub fn builder(url: &str) -> PostgresStoreBuilder {
        PostgresStoreBuilder::new(url)
    }

    /// Builds a store with the defaults and queries the database once; see
    /// [`PostgresStoreBuilder::connect`]. The database may be unavailable.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the URL is invalid, or if several sets of tables could be Better Auth's.
    pub async fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).connect().await
    }
}

impl PostgresStoreBuilder {
    fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            schema: Schema::auto(),
            query_timeout: Duration::from_secs(5),
            max_connections: 16,
            batch_connections: 2,
            max_in_flight: 8,
            queue_capacity: 1024,
            statement_mode: StatementMode::Auto,
            schema_refresh: Duration::from_secs(300),
            root_certificates: None,
        }
    }

    /// Sets the names of tables and columns. Default: [`Schema::auto`].
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets the timeout of a whole lookup: waiting for a connection, connecting (repeated until the
    /// server is up), the query, and a second query if the connection is lost. Default: 5 seconds,
    /// longer than the start of a suspended serverless database.
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = timeout;
        self
    }

    /// Sets the maximum number of connections in the pool. Default: 16.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets the number of connections that lookups share. Default: 2; from 1 to 64, and at most
    /// [`max_connections`](Self::max_connections).
    ///
    /// A few lookups use the first connection only, so that its server process stays active; more
    /// lookups use all of them. The other connections of the pool serve memberships, public keys
    /// and readiness checks, and replace a shared connection that waits for an orphaned query.
    pub fn batch_connections(mut self, connections: usize) -> Self {
        self.batch_connections = connections;
        self
    }

    /// Sets the maximum number of queries in flight on each shared connection. Default: 8; from 1
    /// to 64.
    ///
    /// Below this limit, each lookup is a query and is sent at once. Above it, lookups wait until a
    /// query ends and are then sent together. A higher limit helps if the database is far away:
    /// with 8 queries on 2 connections, the seventeenth concurrent lookup waits for the response to
    /// another one.
    pub fn max_in_flight(mut self, queries: usize) -> Self {
        self.max_in_flight = queries;
        self
    }

    /// Sets the maximum number of lookups that wait. Default: 1024; from 1 to a million. Further
    /// lookups fail at once, as [`Unavailable`](crate::store::StoreErrorKind::Unavailable).
    pub fn queue_capacity(mut self, lookups: usize) -> Self {
        self.queue_capacity = lookups;
        self
    }

    /// Sets whether statements are prepared. Default: [`StatementMode::Auto`], on direct
    /// connections only.
    pub fn statement_mode(mut self, mode: StatementMode) -> Self {
        self.statement_mode = mode;
        self
    }

    /// Sets how often the store looks for added and removed columns, measured by the times of the
    /// lookups. Default: every 5 minutes. An error that reports a missing table or column triggers
    /// the search at once.
    pub fn schema_refresh(mut self, interval: Duration) -> Self {
        self.schema_refresh = interval;
        self
    }

    /// Trusts the certificates in a PEM file instead of the public authorities, like `sslrootcert`
    /// in the URL.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }

    /// Builds the store. Reads the certificates and does no other I/O: the database may be
    /// unavailable.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the URL is invalid, the certificates are not readable, or a limit is out
    /// of range.
    pub fn build(self) -> Result<PostgresStore, ConfigError> {
        self.schema.validate()?;
        check_limits(self.query_timeout, self.max_connections)?;
        check_range(
            "batch_connections",
            self.batch_connections,
            MAX_BATCH_CONNECTIONS,
        )?;
        check_range("max_in_flight", self.max_in_flight, MAX_IN_FLIGHT)?;
        check_range("queue_capacity", self.queue_capacity, MOST_WAITING)?;
        let url = PgUrl::parse(&self.url)?;
        let certificates = self.root_certificates.or(url.root_certificates);
        let tls = tls_connector(certificates.as_deref())?;
        let manager = Manager::from_config(
            url.config,
            tls.clone(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        // The deadline of a lookup covers waiting and recycling. A connection attempt has a shorter
        // timeout, so that a second attempt fits into the deadline if the first one hangs. (The
        // `connect_timeout` of tokio-postgres covers the TCP connection only.)
        let connect_timeout = self.query_timeout / 2;
        let direct = Arc::new(DirectConnections::new(self.statement_mode, connect_timeout));
        let detector = Arc::clone(&direct);
        let pool = Pool::builder(manager)
            .max_size(self.max_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(self.query_timeout))
            .create_timeout(Some(connect_timeout))
            .recycle_timeout(Some(self.query_timeout))
            .post_create(Hook::async_fn(move |client: &mut ClientWrapper, _| {
                let detector = Arc::clone(&detector);
                Box::pin(async move {
                    detector.detect(client).await;
                    Ok(())
                })
            }))
            .build()
            .map_err(|_| ConfigError::new("max_connections", "cannot be used", "use 16"))?;
        let schema = match url.schema {
            Some(name) if self.schema.database_schema.is_none() => {
                self.schema.with_database_schema(name)
            }
            _ => self.schema,
        };
        Ok(PostgresStore::new(
            PoolHandle {
                pool,
                tls,
                direct,
                transport: url.transport,
            },
            KnownTables::new(schema, self.schema_refresh),
            self.query_timeout,
            BatchLimits {
                connections: self.batch_connections.min(self.max_connections),
                max_in_flight: self.max_in_flight,
                max_batch: MAX_BATCH,
                queue_capacity: self.queue_capacity,
            },
        ))
    }

    /// Builds the store and queries the database once, so that problems are logged before the first
    /// request. A database that is unavailable or has no tables yet is not an error.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as for [`build`](Self::build), and if several sets of tables could be Better
    /// Auth's.
    pub async fn connect(self) -> Result<PostgresStore, ConfigError> {
        let store = self.build()?;
        store.check_at_startup().await?;
        Ok(store)
    }
}

/// Omits the URL, which contains the password.
impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStoreBuilder")
            .field("schema", &self.schema)
            .field("query_timeout", &self.query_timeout)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

//! Configures a [`PostgresStore`].

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};

use super::access::Access;
use super::address::Address;
use super::batcher::Limits;
use super::direct::Direct;
use super::known_tables::KnownTables;
use super::statements::StatementMode;
use super::store::PostgresStore;
use super::tls;
use crate::config_error::ConfigError;
use crate::schema::Schema;
use crate::sql::{MOST_WAITING, check_limits, check_range};

const MOST_LANES: usize = 64;
const MOST_IN_FLIGHT: usize = 64;

/// How many lookups go together at most, so that none waits for the answers of too many others.
const MOST_TOGETHER: usize = 256;

/// Configures a [`PostgresStore`]; made by [`PostgresStore::builder`].
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
    deadline: Duration,
    max_connections: usize,
    lanes: usize,
    in_flight: usize,
    waiting: usize,
    statements: StatementMode,
    schema_refresh: Duration,
    root_certificates: Option<PathBuf>,
}

impl PostgresStore {
    /// Starts configuring a store for a database.
    pub fn builder(url: &str) -> PostgresStoreBuilder {
        PostgresStoreBuilder::new(url)
    }

    /// Makes a store with the defaults and asks it once; see [`PostgresStoreBuilder::connect`]. The database need not
    /// be up.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the address cannot be understood, or when several sets of tables could be Better Auth's.
    pub async fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).connect().await
    }
}

impl PostgresStoreBuilder {
    fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            schema: Schema::auto(),
            deadline: Duration::from_secs(5),
            max_connections: 16,
            lanes: 2,
            in_flight: 8,
            waiting: 1024,
            statements: StatementMode::Auto,
            schema_refresh: Duration::from_secs(300),
            root_certificates: None,
        }
    }

    /// Sets the names of tables and columns. Default: [`Schema::auto`].
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets how long a lookup may take in all: waiting for a connection, connecting (tried again until the server is
    /// up), asking, and asking once more where the connection broke. Default: 5 seconds, which outlasts the start of a
    /// suspended serverless database.
    pub fn query_timeout(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many connections the pool opens at most. Default: 16.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets how many connections lookups share. Default: 2; from 1 to 64, and no more than
    /// [`max_connections`](Self::max_connections).
    ///
    /// A few lookups keep to the first one, which is then still awake for the next; more use all of them. The other
    /// connections of the pool are for memberships, keys and probes, and for lookups while a lane's own connection waits
    /// for an answer that nobody waits for any more.
    pub fn batch_connections(mut self, lanes: usize) -> Self {
        self.lanes = lanes;
        self
    }

    /// Sets how many queries are under way on each of these connections at the same time. Default: 8; from 1 to 64.
    ///
    /// While there are fewer lookups than that in all, each is a query of its own and goes at once. Further ones wait until a
    /// query is answered, and then go together. Higher where the database is far away: with 8 on 2 connections, the
    /// seventeenth of those who come at the same time waits for an answer to one of the others.
    pub fn max_in_flight(mut self, queries: usize) -> Self {
        self.in_flight = queries;
        self
    }

    /// Sets how many lookups may wait for their turn. Default: 1024; from 1 to a million. One more fails at once, as
    /// [`Unavailable`](crate::store::StoreErrorKind::Unavailable).
    pub fn queue_capacity(mut self, lookups: usize) -> Self {
        self.waiting = lookups;
        self
    }

    /// Sets whether statements are prepared. Default: [`StatementMode::Auto`], on connections that are proven to lead
    /// straight to the server.
    pub fn statement_mode(mut self, statements: StatementMode) -> Self {
        self.statements = statements;
        self
    }

    /// Sets how often the store looks for columns that were added or removed. Default: every 5 minutes, by the times
    /// that lookups carry; and at once after an error that says that a table or column is not there.
    pub fn schema_refresh(mut self, interval: Duration) -> Self {
        self.schema_refresh = interval;
        self
    }

    /// Trusts the certificates in a PEM file instead of the public authorities', like `sslrootcert` in the address.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }

    /// Makes the store. Does no input or output apart from reading the certificates: the database may be down.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the address cannot be understood, the certificates cannot be read, or a limit is zero.
    pub fn build(self) -> Result<PostgresStore, ConfigError> {
        self.schema.validate()?;
        check_limits(self.deadline, self.max_connections)?;
        check_range("batch_connections", self.lanes, MOST_LANES)?;
        check_range("max_in_flight", self.in_flight, MOST_IN_FLIGHT)?;
        check_range("queue_capacity", self.waiting, MOST_WAITING)?;
        let address = Address::parse(&self.url)?;
        let certificates = self.root_certificates.or(address.root_certificates);
        let tls = tls::connector(certificates.as_deref())?;
        let manager = Manager::from_config(
            address.config,
            tls.clone(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        // The one deadline around a lookup covers waiting and recycling. Creating has a limit of its own, because a
        // connection attempt that hangs (tokio-postgres' own limit ends with the TCP connection) must make room for a
        // second one within that deadline.
        let longest_attempt = self.deadline / 2;
        let direct = Arc::new(Direct::new(self.statements, longest_attempt));
        let proof = Arc::clone(&direct);
        let pool = Pool::builder(manager)
            .max_size(self.max_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(self.deadline))
            .create_timeout(Some(longest_attempt))
            .recycle_timeout(Some(self.deadline))
            .post_create(Hook::async_fn(move |client: &mut ClientWrapper, _| {
                let proof = Arc::clone(&proof);
                Box::pin(async move {
                    proof.try_to_prove(client).await;
                    Ok(())
                })
            }))
            .build()
            .map_err(|_| ConfigError::new("max_connections", "cannot be used", "use 16"))?;
        let schema = match address.schema {
            Some(name) if self.schema.database_schema.is_none() => {
                self.schema.with_database_schema(name)
            }
            _ => self.schema,
        };
        Ok(PostgresStore::new(
            Access {
                pool,
                tls,
                direct,
                transport: address.transport,
            },
            KnownTables::new(schema, self.schema_refresh),
            self.deadline,
            Limits {
                lanes: self.lanes.min(self.max_connections),
                in_flight: self.in_flight,
                together: MOST_TOGETHER,
                waiting: self.waiting,
            },
        ))
    }

    /// Makes the store and asks it once, so that what is wrong with the database is in the log before the first
    /// request. A database that is down or has no tables yet is no error.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`build`](Self::build), and when several sets of tables could be Better Auth's: waiting does
    /// not help there.
    pub async fn connect(self) -> Result<PostgresStore, ConfigError> {
        let store = self.build()?;
        store.look_around().await?;
        Ok(store)
    }
}

/// Shows nothing of the address.
impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStoreBuilder")
            .field("schema", &self.schema)
            .field("query_timeout", &self.deadline)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

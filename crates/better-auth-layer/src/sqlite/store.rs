//! The store, and the checks of its file at startup.

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::connection::Connection;
use super::workers::{Limits, Workers};
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::identity::Member;
use crate::jwks::{KeySet, TableKeySource};
use crate::organization::MembershipStore;
use crate::schema::Schema;
use crate::sql::{MOST_WAITING, SchemaError, check_limits, check_range};
use crate::store::{Lookup, LookupKind, Resolution, StoreError, StoreErrorKind, UserStore};

/// The time for which a writer's lock may delay the start of a service.
const STARTUP_BUSY_TIMEOUT: Duration = Duration::from_millis(250);

/// Users and sessions in the SQLite file that Better Auth writes.
///
/// Supports all formats in which Better Auth's adapters write times: ISO 8601 text, milliseconds
/// and seconds.
///
/// ```no_run
/// use better_auth_layer::{BetterAuthLayer, Secret};
/// use better_auth_layer::sqlite::SqliteStore;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new(std::env::var("BETTER_AUTH_SECRET")?)?)
///     .store(SqliteStore::open("../web/sqlite.db")?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Deployment
///
/// The store never writes to the file. If Better Auth uses a write-ahead log, the process still
/// needs write permission for the file and its directory. Lookups run on dedicated threads, at most
/// [`max_connections`](SqliteStoreBuilder::max_connections). A Tokio runtime with a timer is
/// required.
#[derive(Clone)]
pub struct SqliteStore {
    path: Arc<Path>,
    schema: Arc<Schema>,
    workers: Arc<Workers>,
}

impl SqliteStore {
    /// Opens a file with the defaults; see [`SqliteStoreBuilder::open`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the file does not exist or is not a SQLite database, or when several
    /// sets of tables match.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::builder(path).open()
    }

    /// Returns a source of the public keys in this file's `jwks` table, for the builder's
    /// [`key_source`](crate::BetterAuthLayerBuilder::key_source). Private keys are not read.
    #[must_use]
    pub fn key_source(&self) -> TableKeySource {
        let store = self.clone();
        TableKeySource::new(move |now, grace_period| {
            let store = store.clone();
            async move { store.public_keys(now, grace_period).await }
        })
    }

    async fn public_keys(
        &self,
        now: Timestamp,
        grace_period: Duration,
    ) -> Result<KeySet, StoreError> {
        let schema = Arc::clone(&self.schema);
        self.workers
            .run(move |connection| connection.public_keys(&schema, now, grace_period))
            .await
    }

    /// Returns a builder for a store of a file.
    pub fn builder(path: impl Into<PathBuf>) -> SqliteStoreBuilder {
        SqliteStoreBuilder {
            path: path.into(),
            schema: Schema::auto(),
            query_timeout: Duration::from_secs(5),
            max_connections: 4,
            queue_capacity: 1024,
        }
    }
}

/// Configures a [`SqliteStore`]; created by [`SqliteStore::builder`].
///
/// ```no_run
/// use better_auth_layer::sqlite::SqliteStore;
/// use better_auth_layer::store::Schema;
///
/// let store = SqliteStore::builder("app.db").schema(Schema::snake()).open()?;
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `open` is called"]
pub struct SqliteStoreBuilder {
    path: PathBuf,
    schema: Schema,
    query_timeout: Duration,
    max_connections: usize,
    queue_capacity: usize,
}

impl SqliteStoreBuilder {
    /// Sets the names of tables and columns. Default: [`Schema::auto`].
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets the timeout of a lookup, including the time in the queue and the wait for a writer's
    /// lock. Default: 5 seconds.
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = timeout;
        self
    }

    /// Sets the maximum number of connections, each with a thread. Default: 4. Further concurrent
    /// lookups are queued, and then share a thread and a transaction.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets the maximum number of queued lookups, from 1 to a million. If the queue is full, a
    /// lookup fails at once with [`Unavailable`](StoreErrorKind::Unavailable). Default: 1024.
    pub fn queue_capacity(mut self, lookups: usize) -> Self {
        self.queue_capacity = lookups;
        self
    }

    /// Opens the file. Missing tables are not an error, because Better Auth may create them later;
    /// lookups fail until then.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the file does not exist or is not a SQLite database, when several sets
    /// of tables match, or when a limit is out of range.
    pub fn open(self) -> Result<SqliteStore, ConfigError> {
        self.schema.validate()?;
        check_limits(self.query_timeout, self.max_connections)?;
        check_range("queue_capacity", self.queue_capacity, MOST_WAITING)?;
        if !self.path.is_file() {
            return Err(ConfigError::new(
                "DATABASE_URL",
                format!("names a file that does not exist: {}", self.path.display()),
                "run Better Auth's migrations first, or correct the path (a relative path is relative to the working directory)",
            ));
        }
        let check = Connection::open(&self.path, STARTUP_BUSY_TIMEOUT)
            .and_then(|mut connection| connection.check(&self.schema));
        if let Err(error) = check {
            let schema_error = error.source().and_then(|source| source.downcast_ref());
            if let Some(ambiguous @ SchemaError::Ambiguous { .. }) = schema_error {
                let remedy = ambiguous.to_string();
                return Err(ConfigError::new(
                    "DATABASE_URL",
                    "leads to several sets of tables",
                    remedy,
                ));
            }
            // Tables may be created later, and a writer's lock is temporary.
            if !matches!(
                error.kind(),
                StoreErrorKind::Schema | StoreErrorKind::Timeout
            ) {
                return Err(unusable(&self.path, &error));
            }
            tracing::warn!(
                error = error.with_causes(),
                "the database is not ready; requests get 503 until it is"
            );
        }
        let limits = Limits {
            query_timeout: self.query_timeout,
            connections: self.max_connections,
            queue_capacity: self.queue_capacity,
        };
        Ok(SqliteStore {
            path: self.path.as_path().into(),
            schema: Arc::new(self.schema),
            workers: Arc::new(Workers::new(self.path, limits)),
        })
    }
}

fn unusable(path: &Path, error: &StoreError) -> ConfigError {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    ConfigError::new(
        "DATABASE_URL",
        format!(
            "names a file that cannot be used: {} ({cause})",
            path.display()
        ),
        "use the path of Better Auth's SQLite file, and give this process read and write permission",
    )
}

impl UserStore for SqliteStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let lookup = lookup.into_owned();
        let schema = Arc::clone(&self.schema);
        self.workers
            .run(move |connection| connection.resolve(&schema, &lookup))
            .await
    }

    /// Includes lookups by API key.
    fn supports(&self, _: LookupKind) -> bool {
        true
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let schema = Arc::clone(&self.schema);
        self.workers
            .run(move |connection| connection.check(&schema))
            .await
    }
}

/// Reads `userId`, `organizationId` and `role` of the table `member`.
impl MembershipStore for SqliteStore {
    async fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        let (user_id, organization_id) = (user_id.to_owned(), organization_id.to_owned());
        let schema = Arc::clone(&self.schema);
        self.workers
            .run(move |connection| connection.member(&schema, &user_id, &organization_id))
            .await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

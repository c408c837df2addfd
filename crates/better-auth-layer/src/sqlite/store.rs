//! The store.

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

/// How long the start of a service may be held up by a writer's lock.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// Users and sessions in the SQLite file that Better Auth writes.
///
/// Reads every way in which Better Auth's adapters write times: ISO 8601 text, milliseconds, seconds.
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
/// The file is only read, but the process needs the right to write it and its folder where Better Auth uses a
/// write-ahead log. Lookups run on the runtime's threads for blocking work; a Tokio runtime is needed.
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
    /// [`ConfigError`] when the file is not there or is no SQLite database, or when several sets of tables could be
    /// Better Auth's.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::builder(path).open()
    }

    /// The public keys in this file's `jwks` table, for the builder's
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

    /// Starts configuring a store for a file.
    pub fn builder(path: impl Into<PathBuf>) -> SqliteStoreBuilder {
        SqliteStoreBuilder {
            path: path.into(),
            schema: Schema::auto(),
            deadline: Duration::from_secs(5),
            max_connections: 4,
            waiting: 1024,
        }
    }
}

/// Configures a [`SqliteStore`]; made by [`SqliteStore::builder`].
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
    deadline: Duration,
    max_connections: usize,
    waiting: usize,
}

impl SqliteStoreBuilder {
    /// Sets the names of tables and columns. Default: [`Schema::auto`].
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets how long a lookup may take, waiting for a writer's lock included. Default: 5 seconds.
    pub fn query_timeout(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many lookups run at the same time. Default: 4. Further ones wait until one of these is done, and then
    /// share a thread and a transaction.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets how many lookups may wait for their turn. Default: 1024; from 1 to a million. One more fails at once, as
    /// [`Unavailable`](StoreErrorKind::Unavailable).
    pub fn queue_capacity(mut self, lookups: usize) -> Self {
        self.waiting = lookups;
        self
    }

    /// Opens the file. Tables that are missing are no error yet: Better Auth may still have to make them, and lookups
    /// fail until it has.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the file is not there or is no SQLite database, when several sets of tables could be
    /// Better Auth's, or when a limit is out of range.
    pub fn open(self) -> Result<SqliteStore, ConfigError> {
        self.schema.validate()?;
        check_limits(self.deadline, self.max_connections)?;
        check_range("queue_capacity", self.waiting, MOST_WAITING)?;
        if !self.path.is_file() {
            return Err(ConfigError::new(
                "DATABASE_URL",
                format!("names a file that is not there: {}", self.path.display()),
                "run Better Auth's migrations first, or correct the path (a relative one counts from the working directory)",
            ));
        }
        let first_look = Connection::open(&self.path, FIRST_LOOK)
            .and_then(|mut connection| connection.check(&self.schema));
        if let Err(error) = first_look {
            let schema_error = error.source().and_then(|source| source.downcast_ref());
            if let Some(several @ SchemaError::Ambiguous { .. }) = schema_error {
                let remedy = several.to_string();
                return Err(ConfigError::new("DATABASE_URL", "leaves a choice", remedy));
            }
            // Tables may still be made, and a writer's lock passes.
            if !matches!(
                error.kind(),
                StoreErrorKind::Schema | StoreErrorKind::Timeout
            ) {
                return Err(unusable(&self.path, &error));
            }
            tracing::warn!(
                error = format!("{error:#}"),
                "the database cannot answer yet; requests get 503 until it can"
            );
        }
        let limits = Limits {
            deadline: self.deadline,
            connections: self.max_connections,
            waiting: self.waiting,
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
        "give the path of the SQLite file that Better Auth writes, readable and writable for this process",
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

    /// Also by API key.
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

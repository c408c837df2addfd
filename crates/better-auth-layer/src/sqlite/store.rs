//! The store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::InterruptHandle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::connection::Connection;
use crate::config_error::ConfigError;
use crate::store::sql::LayoutError;
use crate::store::{Lookup, Resolution, Schema, StoreError, StoreErrorKind, UserStore};

/// Users and sessions in the SQLite file that Better Auth writes.
///
/// Reads every way in which Better Auth's adapters write times: ISO 8601 text, milliseconds, seconds.
///
/// ```no_run
/// use better_auth_layer::{BetterAuthLayer, Secret, SqliteStore};
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
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    schema: Schema,
    deadline: Duration,
    /// As many permits as there may be connections.
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
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

    /// Starts configuring a store for a file.
    pub fn builder(path: impl Into<PathBuf>) -> SqliteStoreBuilder {
        SqliteStoreBuilder {
            path: path.into(),
            schema: Schema::auto(),
            deadline: Duration::from_secs(5),
            max_connections: 4,
        }
    }
}

/// Configures a [`SqliteStore`]; made by [`SqliteStore::builder`].
///
/// ```no_run
/// use better_auth_layer::{Schema, SqliteStore};
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
}

impl SqliteStoreBuilder {
    /// Sets the names of tables and columns. Default: [`Schema::auto`].
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets how long a lookup may take, waiting for a writer's lock included. Default: 5 seconds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many lookups run at the same time. Default: 4.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Opens the file. Tables that are missing are no error yet: Better Auth may still have to make them, and lookups
    /// fail until it has.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the file is not there or is no SQLite database, when several sets of tables could be
    /// Better Auth's, or when a limit is zero.
    pub fn open(self) -> Result<SqliteStore, ConfigError> {
        for (setting, is_zero) in [
            ("deadline", self.deadline.is_zero()),
            ("max_connections", self.max_connections == 0),
        ] {
            if is_zero {
                return Err(ConfigError::new(setting, "is zero", "give it some room"));
            }
        }
        if !self.path.is_file() {
            return Err(ConfigError::new(
                "DATABASE_URL",
                format!("names a file that is not there: {}", self.path.display()),
                "run Better Auth's migrations first, or correct the path (a relative one counts from the working directory)",
            ));
        }
        let mut connection = Connection::open(&self.path, self.deadline)
            .map_err(|error| unusable(&self.path, &error))?;
        match connection.check(&self.schema) {
            Ok(()) => {}
            Err(error) if error.kind() == StoreErrorKind::Schema => {
                let ambiguous =
                    layout_error(&error).filter(|e| matches!(e, LayoutError::Ambiguous { .. }));
                if let Some(ambiguous) = ambiguous {
                    let remedy = ambiguous.to_string();
                    return Err(ConfigError::new("DATABASE_URL", "leaves a choice", remedy));
                }
                let cause = layout_error(&error).map(ToString::to_string);
                tracing::warn!(
                    cause,
                    "the database cannot answer yet; requests get 503 until it can"
                );
            }
            Err(error) => return Err(unusable(&self.path, &error)),
        }
        Ok(SqliteStore {
            inner: Arc::new(Inner {
                path: self.path,
                schema: self.schema,
                deadline: self.deadline,
                permits: Semaphore::new(self.max_connections),
                idle: Mutex::new(vec![connection]),
            }),
        })
    }
}

fn layout_error(error: &StoreError) -> Option<&LayoutError> {
    std::error::Error::source(error)?.downcast_ref()
}

fn unusable(path: &Path, error: &StoreError) -> ConfigError {
    use std::error::Error as _;
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
        let inner = Arc::clone(&self.inner);
        self.inner
            .run(move |connection| connection.resolve(&inner.schema, &lookup))
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .run(move |connection| connection.check(&inner.schema))
            .await
    }
}

impl Inner {
    /// Runs blocking work with a connection, under the deadline. Work that nobody waits for any more is interrupted,
    /// and its connection closed.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.deadline, async {
            let Ok(_permit) = self.permits.acquire().await else {
                return Err(StoreErrorKind::Unavailable.into());
            };
            let idle = self.idle().pop();
            let connection = match idle {
                Some(connection) => connection,
                None => self.open().await?,
            };
            let mut interrupt = InterruptOnDrop(Some(connection.interrupt_handle()));
            let work = spawn_blocking(move || {
                let mut connection = connection;
                let result = work(&mut connection);
                (connection, result)
            });
            let done = work.await;
            interrupt.0 = None;
            let (connection, result) =
                done.map_err(|_| StoreError::from(StoreErrorKind::Panicked))?;
            self.idle().push(connection);
            result
        })
        .await
        .unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    async fn open(self: &Arc<Self>) -> Result<Connection, StoreError> {
        let inner = Arc::clone(self);
        spawn_blocking(move || Connection::open(&inner.path, inner.deadline))
            .await
            .map_err(|_| StoreError::from(StoreErrorKind::Panicked))?
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct InterruptOnDrop(Option<InterruptHandle>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.inner.path)
            .field("schema", &self.inner.schema)
            .finish_non_exhaustive()
    }
}

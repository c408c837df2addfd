//! [`PostgresListener`] and its builder. The task that listens is in `listen_task`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::listen_task::{self, connect};
use super::pool::tls_connector;
use super::triggers::Triggers;
use super::url::PgUrl;
use crate::cache::CacheInvalidator;
use crate::config_error::ConfigError;
use crate::diagnostics::Check;
use crate::store::{Schema, StoreError};

/// Invalidates a [`CachedStore`](crate::cache::CachedStore) of a `PostgresStore`: a committed
/// change that revokes a session or a right takes effect within milliseconds, regardless of which
/// client commits it.
///
/// ```no_run
/// use better_auth_layer::{BetterAuthLayer, Secret};
/// use better_auth_layer::cache::CachedStore;
/// use better_auth_layer::postgres::{PostgresListener, PostgresStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pooled = std::env::var("DATABASE_URL")?;
/// let direct = std::env::var("DATABASE_DIRECT_URL")?;
/// let store = CachedStore::new(PostgresStore::connect(&pooled).await?);
/// PostgresListener::builder(&direct)
///     .query_url(&pooled)
///     .build()?
///     .listen(&store.invalidator());
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new(std::env::var("BETTER_AUTH_SECRET")?)?)
///     .store(store)
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Deployment
///
/// Triggers in the database send notifications (`NOTIFY`) that contain ids only. Print them with
/// [`trigger_sql`](Self::trigger_sql) and run them once, as the owner of the tables. They notify of
/// deleted sessions and users, of a session expiry that was moved to an earlier time, and of
/// changes to any other column that an [`Identity`](crate::Identity) contains. Updates that revoke
/// nothing (a later expiry, `updatedAt`) send no notification, because PostgreSQL commits
/// transactions with notifications one after the other. Changes to API keys send no notification.
///
/// Poolers in transaction mode accept `LISTEN` but deliver no notifications, so the listener needs
/// a direct connection to the server. Delivery is tested first: a random notification is sent
/// through the store's URL ([`query_url`](PostgresListenerBuilder::query_url)) and must arrive. A
/// store that reads a replica cannot be listened for, because the replica may return the previous
/// row after the notification.
///
/// # Staleness
///
/// While the listener is connected, a cached result is stale for as long as a notification takes to
/// arrive: about a millisecond with an idle server. The listener proves that it is connected with a
/// [`heartbeat`](PostgresListenerBuilder::heartbeat), which extends a lease of three heartbeats
/// (1.5 seconds). When a loss is detected or the lease ends, the cache forwards every lookup to its
/// store until the listener is connected again, and then starts empty. A revocation is therefore
/// late by at most 1.5 seconds, if the connection is lost without an error at that moment.
///
/// The cache also forwards every lookup while triggers are missing or do not match the columns. The
/// log then contains a warning.
#[derive(Clone)]
pub struct PostgresListener {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) direct: Endpoint,
    /// The database as the store reaches it, possibly through a pooler.
    pub(super) query: Endpoint,
    pub(super) schema: Schema,
    pub(super) heartbeat: Duration,
}

/// A server and its TLS configuration.
pub(super) struct Endpoint {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl PostgresListener {
    /// Starts configuring a listener with the direct URL of a database.
    pub fn builder(direct_url: &str) -> PostgresListenerBuilder {
        PostgresListenerBuilder {
            direct_url: direct_url.to_owned(),
            query_url: None,
            schema: Schema::auto(),
            heartbeat: Duration::from_millis(500),
            root_certificates: None,
        }
    }

    /// Spawns a task on the current Tokio runtime that listens until the cache and all its handles
    /// are dropped. The database may be unavailable. The cache forwards every lookup to its store
    /// until the listener is connected.
    pub fn listen(&self, cache: &CacheInvalidator) {
        cache.end_lease();
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!(
                "a listener needs a Tokio runtime; the cache forwards every lookup to its store"
            );
            return;
        };
        runtime.spawn(listen_task::run(Arc::clone(&self.inner), cache.downgrade()));
    }

    /// Tests once whether notifications arrive: connects, sends a notification through the store's
    /// URL, waits until it arrives, and compares the triggers with the tables. Takes a few seconds
    /// if no notification arrives.
    ///
    /// ```no_run
    /// use better_auth_layer::Authenticator;
    /// use better_auth_layer::diagnostics::HealthReport;
    /// use better_auth_layer::postgres::PostgresListener;
    ///
    /// async fn check(auth: &Authenticator, listener: &PostgresListener) -> HealthReport {
    ///     let mut report = auth.diagnose().await;
    ///     report.push(listener.diagnose().await);
    ///     report
    /// }
    /// ```
    pub async fn diagnose(&self) -> Check {
        listen_task::check(&self.inner).await
    }

    /// Returns the SQL that creates the triggers, for the tables and columns of the database. It
    /// may be run repeatedly.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = better_auth_layer::postgres::PostgresListener::builder(&std::env::var("DATABASE_URL")?).build()?;
    /// println!("{}", listener.trigger_sql().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database is unavailable or has no Better Auth tables.
    pub async fn trigger_sql(&self) -> Result<String, StoreError> {
        let client = self.client().await?;
        let triggers = Triggers::find(&client, &self.inner.schema).await?;
        Ok(triggers.sql())
    }

    async fn client(&self) -> Result<Client, StoreError> {
        let (client, connection) = connect(&self.inner.direct).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl fmt::Debug for PostgresListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresListener")
            .field("schema", &self.inner.schema)
            .field("heartbeat", &self.inner.heartbeat)
            .finish_non_exhaustive()
    }
}

/// Configures a [`PostgresListener`]; returned by [`PostgresListener::builder`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct PostgresListenerBuilder {
    direct_url: String,
    query_url: Option<String>,
    schema: Schema,
    heartbeat: Duration,
    root_certificates: Option<PathBuf>,
}

impl PostgresListenerBuilder {
    /// Sets the URL of the store, if it differs: the URL of a pooler. Default: the direct URL.
    pub fn query_url(mut self, url: &str) -> Self {
        self.query_url = Some(url.to_owned());
        self
    }

    /// Sets the names of tables and columns, the same as for the store. Default: [`Schema::auto`].
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets the interval of the heartbeats. A revocation can be late by three intervals if a
    /// connection is lost without an error. Default: 500 milliseconds; from 10 milliseconds to a
    /// minute.
    ///
    /// Heartbeats may keep a database active that is suspended when idle.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// Trusts the certificates in a PEM file instead of the public authorities, like `sslrootcert`
    /// in the URL.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }

    /// Builds the listener. Reads the certificates and does no other I/O.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a URL is invalid, the certificates are not readable, or the heartbeat is
    /// out of range.
    pub fn build(self) -> Result<PostgresListener, ConfigError> {
        if !(Duration::from_millis(10)..=Duration::from_secs(60)).contains(&self.heartbeat) {
            return Err(ConfigError::new(
                "heartbeat",
                "is shorter than 10 milliseconds or longer than a minute",
                "use 500 milliseconds",
            ));
        }
        let query_url = self.query_url.as_ref().unwrap_or(&self.direct_url);
        let (query, _) = self.endpoint(query_url)?;
        let (mut direct, schema_name) = self
            .endpoint(&self.direct_url)
            .map_err(|error| error.renamed("DATABASE_URL", "DATABASE_DIRECT_URL"))?;
        direct.config.application_name("better-auth-layer listener");
        let schema = match schema_name {
            Some(name) if self.schema.database_schema.is_none() => {
                self.schema.with_database_schema(name)
            }
            _ => self.schema,
        };
        Ok(PostgresListener {
            inner: Arc::new(Inner {
                direct,
                query,
                schema,
                heartbeat: self.heartbeat,
            }),
        })
    }

    /// Returns the endpoint and the database schema of a URL.
    fn endpoint(&self, url: &str) -> Result<(Endpoint, Option<String>), ConfigError> {
        let url = PgUrl::parse(url)?;
        let own = self.root_certificates.as_deref();
        let certificates: Option<&Path> = own.or(url.root_certificates.as_deref());
        let endpoint = Endpoint {
            tls: tls_connector(certificates)?,
            config: url.config,
        };
        Ok((endpoint, url.schema))
    }
}

/// Omits the URLs, which contain passwords.
impl fmt::Debug for PostgresListenerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresListenerBuilder")
            .field("schema", &self.schema)
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}

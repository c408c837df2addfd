//! Tells a cache what changes in the database.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::listening::{self, connect};
use super::tls;
use super::triggers::{Lack, Triggers};
use crate::cache::CacheInvalidator;
use crate::config_error::ConfigError;
use crate::diagnostics::Check;
use crate::store::{Schema, StoreError, StoreErrorKind};

/// Keeps a [`CachedStore`](crate::cache::CachedStore) around a `PostgresStore` true: what takes a session or a right away from
/// somebody takes effect within milliseconds of its commit, whoever commits it.
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
/// Triggers in the database announce changes (`NOTIFY`), ids only; print them with [`trigger_sql`](Self::trigger_sql)
/// and run them once, as the tables' owner. They announce that a session or a user was deleted, that a session's expiry
/// was moved nearer, and that any other column changed that an [`Identity`](crate::Identity) shows. Updates that take
/// nothing away (an expiry that is moved further off, `updatedAt`) announce nothing and cost nothing: transactions with
/// an announcement wait for each other when they commit. API keys are not announced.
///
/// Poolers in transaction mode accept `LISTEN` and deliver nothing, so the listener needs a connection of its own,
/// directly to the server. Whether announcements arrive is tried out first: a random one is made where the store asks,
/// at [`query_url`](PostgresListenerBuilder::query_url), and must be heard. A store that reads a replica cannot be
/// listened for, since it may read what was before an announcement after it.
///
/// # Staleness
///
/// While the listener is there, an answer of the cache is as old as an announcement is on its way: a millisecond, with
/// the server and this process idle. It proves that it is there every [`heartbeat`](PostgresListenerBuilder::heartbeat).
/// From when a loss is noticed, or three heartbeats after the last one that was answered (1.5 seconds), the cache
/// asks the store every time, until the listener has connected again; then it starts empty. So 1.5 seconds is the most
/// by which a revocation can be late, when a connection dies without a word in just that moment.
///
/// The same goes while triggers are missing, or are not those for the columns that there are by now: the log says so,
/// and no answer is given that was not asked for.
#[derive(Clone)]
pub struct PostgresListener {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) direct: Endpoint,
    /// Where the store asks.
    pub(super) query: Endpoint,
    pub(super) schema: Schema,
    pub(super) heartbeat: Duration,
}

/// A server and how to talk to it.
pub(super) struct Endpoint {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl PostgresListener {
    /// Starts configuring a listener with the direct address of a database.
    pub fn builder(direct_url: &str) -> PostgresListenerBuilder {
        PostgresListenerBuilder {
            direct_url: direct_url.to_owned(),
            query_url: None,
            schema: Schema::auto(),
            heartbeat: Duration::from_millis(500),
            root_certificates: None,
        }
    }

    /// Listens for a cache, in a task on the Tokio runtime that this is called on, until the cache and all its handles
    /// are gone. The database may be down. Until the listener is there, the cache asks its store every time.
    pub fn listen(&self, cache: &CacheInvalidator) {
        cache.end_lease();
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!(
                "a listener needs a Tokio runtime; the cache asks its store every time"
            );
            return;
        };
        runtime.spawn(listening::run(Arc::clone(&self.inner), cache.downgrade()));
    }

    /// Tries out once whether the database tells what changes: connects, announces something where the store asks, waits
    /// until it is heard, and compares the triggers with the tables. Takes a few seconds where nothing is heard.
    ///
    /// ```no_run
    /// use better_auth_layer::Authenticator;
    /// use better_auth_layer::diagnostics::HealthReport;
    /// use better_auth_layer::postgres::PostgresListener;
    ///
    /// async fn check(auth: &Authenticator, listener: &PostgresListener) -> HealthReport {
    ///     let mut diagnosis = auth.diagnose().await;
    ///     diagnosis.push(listener.diagnose().await);
    ///     diagnosis
    /// }
    /// ```
    pub async fn diagnose(&self) -> Check {
        listening::check(&self.inner).await
    }

    /// The statements that make the triggers, for the tables and columns that the database has. They may be run again.
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
    /// [`StoreError`] when the database cannot be asked, or has no tables of Better Auth.
    pub async fn trigger_sql(&self) -> Result<String, StoreError> {
        let client = self.client().await?;
        let triggers = Triggers::find(&client, &self.inner.schema).await;
        Ok(triggers.map_err(StoreError::from)?.sql())
    }

    async fn client(&self) -> Result<Client, StoreError> {
        let (client, connection) = connect(&self.inner.direct).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl From<Lack> for StoreError {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Failure(failure) => failure.into(),
            Lack::Schema(error) => Self::new(StoreErrorKind::Schema, error),
            Lack::Triggers => Self::new(StoreErrorKind::Schema, "the triggers are not there"),
        }
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

/// Configures a [`PostgresListener`]; made by [`PostgresListener::builder`].
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
    /// Sets the address at which the store asks, where that is another one: a pooler's. Default: the direct address.
    pub fn query_url(mut self, url: &str) -> Self {
        self.query_url = Some(url.to_owned());
        self
    }

    /// Sets the names of tables and columns, the same as the store's. Default: [`Schema::auto`].
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets how often the listener proves that it is there. A revocation can be late by three times as much where a
    /// connection dies without a word. Default: 500 milliseconds; from 10 milliseconds to a minute.
    ///
    /// A database that is suspended when idle may be kept awake by it.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// Trusts the certificates in a PEM file instead of the public authorities', like `sslrootcert` in the address.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }

    /// Makes the listener. Does no input or output apart from reading the certificates.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when an address cannot be understood, the certificates cannot be read, or the heartbeat is out of
    /// its limits.
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

    fn endpoint(&self, url: &str) -> Result<(Endpoint, Option<String>), ConfigError> {
        let address = Address::parse(url)?;
        let own = self.root_certificates.as_ref();
        let certificates = own.or(address.root_certificates.as_ref());
        let endpoint = Endpoint {
            tls: tls::connector(certificates.map(PathBuf::as_path))?,
            config: address.config,
        };
        Ok((endpoint, address.schema))
    }
}

/// Shows nothing of the addresses.
impl fmt::Debug for PostgresListenerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresListenerBuilder")
            .field("schema", &self.schema)
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}

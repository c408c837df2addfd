//! The store that an address names.

use crate::builder::BetterAuthLayerBuilder;
use crate::cache::{CacheInvalidator, CachedStore};
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::database_url::DatabaseUrl;
use crate::diagnosis::{Check, HealthReport};
use crate::environment::Env;
use crate::identity::Member;
use crate::layer::BetterAuthLayer;
use crate::settings::{CacheSetting, Config};
use crate::store::{
    Lookup, LookupKind, MembershipStore, Resolution, Schema, StoreError, UserStore,
};

/// The store for a [`DatabaseUrl`], whichever database that is.
///
/// ```no_run
/// use better_auth_layer::{ConfigError, DatabaseStore, DatabaseUrl, Schema};
///
/// # async fn example() -> Result<(), ConfigError> {
/// let url: DatabaseUrl = "sqlite:auth.db".parse()?;
/// let store = DatabaseStore::connect(&url, &Schema::auto()).await?;
/// # let _ = store;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DatabaseStore {
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::PostgresStore),
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(crate::sqlite::SqliteStore),
}

/// Whether the database is asked once, so that what is wrong with it is in the log.
#[derive(Clone, Copy)]
enum Start {
    WithALook,
    WithoutLooking,
}

impl DatabaseStore {
    /// Makes the store that the settings name, for programs that need it beside the layer as well:
    ///
    /// ```
    /// use better_auth_layer::authorize::MembershipLayer;
    /// use better_auth_layer::{BetterAuthLayer, ConfigError, DatabaseStore, Config};
    ///
    /// async fn layers(settings: &Config) -> Result<(BetterAuthLayer, MembershipLayer), ConfigError> {
    ///     let store = DatabaseStore::from_config(settings).await?;
    ///     let auth = settings.builder().store(store.clone()).build()?;
    ///     Ok((auth, MembershipLayer::new(store)))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and where `DATABASE_URL` is not set.
    pub async fn from_config(settings: &Config) -> Result<Self, ConfigError> {
        Self::of(settings, Start::WithALook).await
    }

    async fn of(settings: &Config, start: Start) -> Result<Self, ConfigError> {
        let Some(url) = settings.database_url() else {
            return Err(ConfigError::new(
                "DATABASE_URL",
                "is not set",
                "set it to `postgres://user:password@host:5432/database` or `sqlite:path/to/file.sqlite`",
            ));
        };
        Self::open(url, settings.schema(), start).await
    }

    /// Makes the store. A PostgreSQL server may be down, a SQLite file must exist.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the address or the file cannot be used, or names a database whose feature is not enabled.
    pub async fn connect(url: &DatabaseUrl, schema: &Schema) -> Result<Self, ConfigError> {
        Self::open(url, schema, Start::WithALook).await
    }

    async fn open(url: &DatabaseUrl, schema: &Schema, start: Start) -> Result<Self, ConfigError> {
        let _ = start;
        match url {
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => {
                let store = crate::postgres::PostgresStore::builder(url).schema(schema.clone());
                Ok(Self::Postgres(match start {
                    Start::WithALook => store.connect().await?,
                    Start::WithoutLooking => store.build()?,
                }))
            }
            #[cfg(feature = "sqlite")]
            DatabaseUrl::Sqlite(path) => {
                let store = crate::sqlite::SqliteStore::builder(path).schema(schema.clone());
                // Opening waits for the disk, and a moment for a writer.
                let opened = tokio::task::spawn_blocking(move || store.open()).await;
                let opened = opened.map_err(|_| {
                    ConfigError::new(
                        "DATABASE_URL",
                        "cannot be opened",
                        "start the service again",
                    )
                })?;
                Ok(Self::Sqlite(opened?))
            }
            #[cfg(not(all(feature = "postgres", feature = "sqlite")))]
            other => {
                let _ = schema;
                Err(ConfigError::new(
                    "DATABASE_URL",
                    format!(
                        "names a kind of database that this program was built without: {other:?}"
                    ),
                    "enable the feature `postgres` or `sqlite` of better-auth-layer",
                ))
            }
        }
    }
}

impl UserStore for DatabaseStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.resolve(lookup).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.resolve(lookup).await,
        }
    }

    fn supports(&self, kind: LookupKind) -> bool {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.supports(kind),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.supports(kind),
        }
    }

    async fn ready(&self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.ready().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.ready().await,
        }
    }

    async fn diagnose(&self) -> Vec<Check> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.diagnose().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.diagnose().await,
        }
    }

    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.server_time().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.server_time().await,
        }
    }
}

impl MembershipStore for DatabaseStore {
    async fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.member(user_id, organization_id).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.member(user_id, organization_id).await,
        }
    }
}

impl BetterAuthLayer {
    /// Starts configuring a layer with the settings and the store of the environment.
    ///
    /// `DATABASE_URL` must be set, and `BETTER_AUTH_SECRET`, `BETTER_AUTH_URL` or both; [`Config`] has the whole list. With the feature `dotenv`, read a `.env` file first:
    ///
    /// ```no_run
    /// use better_auth_layer::{BetterAuthLayer, ConfigError, Env};
    ///
    /// # #[cfg(feature = "dotenv")]
    /// # async fn example() -> Result<(), ConfigError> {
    /// let environment = Env::process().with_file(".env")?;
    /// let layer = BetterAuthLayer::from_env(&environment).await?.build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable that is missing or cannot be used and says what to write.
    pub async fn from_env(environment: &Env) -> Result<BetterAuthLayerBuilder, ConfigError> {
        Self::from_config(&Config::from_env(environment)?).await
    }

    /// As [`from_env`](Self::from_env), for settings that were read already.
    ///
    /// ```
    /// use better_auth_layer::{BetterAuthLayer, ConfigError, Env, Config};
    ///
    /// async fn layer() -> Result<BetterAuthLayer, ConfigError> {
    ///     let settings = Config::from_env(&Env::process())?;
    ///     BetterAuthLayer::from_config(&settings).await?.require_verified_email().build()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable that is missing or cannot be used and says what to write.
    pub async fn from_config(settings: &Config) -> Result<BetterAuthLayerBuilder, ConfigError> {
        // Said before anything is connected to, and after the address, which is wanted first.
        if settings.database_url().is_some() {
            lacks_a_credential(settings)?;
        }
        let store = DatabaseStore::from_config(settings).await?;
        let builder = settings.builder();
        if settings.cache() == CacheSetting::Off {
            return Ok(builder.store(store));
        }
        let store = CachedStore::new(store);
        if settings.cache() == CacheSetting::Listen {
            listen(settings, &store.invalidator())?;
        }
        Ok(builder.store(store))
    }

    /// Looks at the deployment that the environment names before anybody is let in: the settings, the database with its
    /// tables, its connection and its clock, the public keys, and, with `BETTER_AUTH_CACHE=listen`, whether changes are
    /// announced and heard. It is [`Authenticator::diagnose`](crate::Authenticator::diagnose) for the layer that
    /// [`from_env`](Self::from_env) makes; nothing is left running.
    ///
    /// ```no_run
    /// use better_auth_layer::{BetterAuthLayer, Env};
    /// use std::process::ExitCode;
    ///
    /// # async fn example() -> ExitCode {
    /// let diagnosis = BetterAuthLayer::diagnose_env(&Env::process()).await;
    /// print!("{diagnosis}");
    /// if diagnosis.is_healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    /// # }
    /// ```
    pub async fn diagnose_env(environment: &Env) -> HealthReport {
        check(environment).await.unwrap_or_else(|error| {
            let mut diagnosis = HealthReport::new();
            diagnosis.push(error.into());
            diagnosis
        })
    }
}

async fn check(environment: &Env) -> Result<HealthReport, ConfigError> {
    let settings = Config::from_env(environment)?;
    let settings = &settings;
    // Nothing is asked yet: whatever is wrong with the database is a finding, and nothing is listened to.
    let store = DatabaseStore::of(settings, Start::WithoutLooking).await?;
    lacks_a_credential(settings)?;
    let layer = settings.builder().store(store).build()?;
    let mut diagnosis = layer.authenticator().diagnose().await;
    if settings.cache() == CacheSetting::Listen {
        diagnosis.push(check_listener(settings).await);
    }
    Ok(diagnosis)
}

async fn check_listener(settings: &Config) -> Check {
    #[cfg(feature = "postgres")]
    match listener(settings) {
        Ok(Some(listener)) => return listener.diagnose().await,
        Ok(None) => {}
        Err(error) => return error.into(),
    }
    let _ = settings;
    no_listener().into()
}

fn lacks_a_credential(settings: &Config) -> Result<(), ConfigError> {
    if settings.has_credentials() {
        return Ok(());
    }
    Err(ConfigError::new(
        "BETTER_AUTH_SECRET",
        "is not set",
        "set it to the secret that Better Auth runs with, or BETTER_AUTH_URL to its address, or both",
    ))
}

fn listen(settings: &Config, cache: &CacheInvalidator) -> Result<(), ConfigError> {
    #[cfg(feature = "postgres")]
    if let Some(listener) = listener(settings)? {
        listener.listen(cache);
        return Ok(());
    }
    let _ = (settings, cache);
    Err(no_listener())
}

/// The listener that the settings name; `None` where the database is not PostgreSQL.
#[cfg(feature = "postgres")]
fn listener(settings: &Config) -> Result<Option<crate::postgres::PostgresListener>, ConfigError> {
    let Some(DatabaseUrl::Postgres(url)) = settings.database_url() else {
        return Ok(None);
    };
    let direct = settings.database_direct_url().unwrap_or(url);
    let listener = crate::postgres::PostgresListener::builder(direct)
        .query_url(url)
        .schema(settings.schema().clone());
    listener.build().map(Some)
}

fn no_listener() -> ConfigError {
    ConfigError::new(
        "BETTER_AUTH_CACHE",
        "is `listen`, but only PostgreSQL says what changes",
        "write `on`, or `off`",
    )
}

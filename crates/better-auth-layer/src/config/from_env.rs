//! Layers from the environment: configuration, store, cache and listener in one call.

use super::database_store::{Connect, DatabaseStore};
#[cfg(feature = "postgres")]
use super::database_url::DatabaseUrl;
use super::{CacheMode, Config, Env};
use crate::builder::BetterAuthLayerBuilder;
use crate::cache::{CacheInvalidator, CachedStore};
use crate::config_error::ConfigError;
use crate::diagnostics::{Check, HealthReport};
use crate::layer::BetterAuthLayer;
#[cfg(feature = "postgres")]
use crate::postgres::PostgresListener;

impl BetterAuthLayer {
    /// Starts building a layer with the configuration and the store from the environment.
    ///
    /// `DATABASE_URL` is required, and `BETTER_AUTH_SECRET`, `BETTER_AUTH_URL` or both. [`Config`]
    /// lists all variables. With the feature `dotenv`, a `.env` file can be the fallback:
    ///
    /// ```no_run
    /// use better_auth_layer::config::Env;
    /// use better_auth_layer::{BetterAuthLayer, ConfigError};
    ///
    /// # #[cfg(feature = "dotenv")]
    /// # async fn example() -> Result<(), ConfigError> {
    /// let env = Env::process().with_file(".env")?;
    /// let layer = BetterAuthLayer::from_env(&env).await?.build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable that is missing or invalid and the remedy.
    pub async fn from_env(env: &Env) -> Result<BetterAuthLayerBuilder, ConfigError> {
        Self::from_config(&Config::from_env(env)?).await
    }

    /// Starts building a layer with the store that the configuration names.
    ///
    /// ```
    /// use better_auth_layer::config::Env;
    /// use better_auth_layer::{BetterAuthLayer, Config, ConfigError};
    ///
    /// async fn layer() -> Result<BetterAuthLayer, ConfigError> {
    ///     let config = Config::from_env(&Env::process())?;
    ///     BetterAuthLayer::from_config(&config).await?.require_verified_email().build()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable that is missing or invalid and the remedy.
    pub async fn from_config(config: &Config) -> Result<BetterAuthLayerBuilder, ConfigError> {
        // Report a missing `DATABASE_URL` first, and a missing secret before connecting.
        if config.database_url.is_some() {
            require_credentials(config)?;
        }
        let store = DatabaseStore::from_config(config).await?;
        let builder = config.builder();
        if config.cache == CacheMode::Off {
            return Ok(builder.store(store));
        }
        let store = CachedStore::new(store);
        if config.cache == CacheMode::Listen {
            listen(config, &store.invalidator())?;
        }
        Ok(builder.store(store))
    }

    /// Validates the deployment that the environment names: configuration, database connection,
    /// tables, clocks, public keys and, with `BETTER_AUTH_CACHE=listen`, the triggers and the
    /// listener.
    ///
    /// This is [`Authenticator::diagnose`](crate::Authenticator::diagnose) for the layer that
    /// [`from_env`](Self::from_env) builds. It leaves no task running.
    ///
    /// ```no_run
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::config::Env;
    /// use std::process::ExitCode;
    ///
    /// # async fn example() -> ExitCode {
    /// let report = BetterAuthLayer::diagnose_env(&Env::process()).await;
    /// print!("{report}");
    /// if report.is_healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    /// # }
    /// ```
    pub async fn diagnose_env(env: &Env) -> HealthReport {
        diagnose(env).await.unwrap_or_else(|error| {
            let mut report = HealthReport::new();
            report.push(error.into());
            report
        })
    }
}

async fn diagnose(env: &Env) -> Result<HealthReport, ConfigError> {
    let config = &Config::from_env(env)?;
    // `OnDemand`, because a database problem is a failed check here, not an error.
    let store = DatabaseStore::open(config, Connect::OnDemand).await?;
    require_credentials(config)?;
    let layer = config.builder().store(store).build()?;
    let mut report = layer.authenticator().diagnose().await;
    if config.cache == CacheMode::Listen {
        report.push(diagnose_listener(config).await);
    }
    Ok(report)
}

fn require_credentials(config: &Config) -> Result<(), ConfigError> {
    if config.has_credentials() {
        return Ok(());
    }
    Err(ConfigError::missing(
        "BETTER_AUTH_SECRET",
        "set it to the secret of Better Auth, or BETTER_AUTH_URL to the URL of Better Auth, or both",
    ))
}

#[cfg(feature = "postgres")]
async fn diagnose_listener(config: &Config) -> Check {
    match listener(config) {
        Ok(listener) => listener.diagnose().await,
        Err(error) => error.into(),
    }
}

#[cfg(feature = "postgres")]
fn listen(config: &Config, cache: &CacheInvalidator) -> Result<(), ConfigError> {
    listener(config)?.listen(cache);
    Ok(())
}

#[cfg(feature = "postgres")]
fn listener(config: &Config) -> Result<PostgresListener, ConfigError> {
    let Some(DatabaseUrl::Postgres(url)) = &config.database_url else {
        return Err(listener_requires_postgres());
    };
    let direct = match &config.database_direct_url {
        None => url,
        Some(DatabaseUrl::Postgres(direct)) => direct,
        Some(DatabaseUrl::Sqlite(_)) => {
            return Err(ConfigError::conflict(
                "DATABASE_DIRECT_URL",
                "names another database than DATABASE_URL",
                "write the PostgreSQL URL that bypasses the pooler",
            ));
        }
    };
    PostgresListener::builder(direct)
        .query_url(url)
        .schema(config.schema.clone())
        .build()
}

#[cfg(not(feature = "postgres"))]
async fn diagnose_listener(_: &Config) -> Check {
    listener_requires_postgres().into()
}

#[cfg(not(feature = "postgres"))]
fn listen(_: &Config, _: &CacheInvalidator) -> Result<(), ConfigError> {
    Err(listener_requires_postgres())
}

fn listener_requires_postgres() -> ConfigError {
    ConfigError::conflict(
        "BETTER_AUTH_CACHE",
        "is `listen`, which requires PostgreSQL",
        "write `on` or `off`",
    )
}

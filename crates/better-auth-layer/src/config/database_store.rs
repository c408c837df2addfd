//! [`DatabaseStore`]: the store that `DATABASE_URL` names.

use super::Config;
use super::database_url::DatabaseUrl;
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::diagnostics::Check;
use crate::identity::Member;
use crate::organization::MembershipStore;
#[cfg(feature = "postgres")]
use crate::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteStore;
use crate::store::{Lookup, LookupKind, Resolution, StoreError, UserStore};

/// The PostgreSQL or SQLite store that the [`Config`] names. Cloning is cheap.
///
/// `BetterAuthLayer::from_config` creates it. Applications create it themselves if they also need it
/// for other layers:
///
/// ```
/// use better_auth_layer::config::DatabaseStore;
/// use better_auth_layer::organization::MembershipLayer;
/// use better_auth_layer::{BetterAuthLayer, Config, ConfigError};
///
/// async fn layers(config: &Config) -> Result<(BetterAuthLayer, MembershipLayer), ConfigError> {
///     let store = DatabaseStore::from_config(config).await?;
///     let auth = config.builder().store(store.clone()).build()?;
///     Ok((auth, MembershipLayer::new(store)))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct DatabaseStore(Backend);

#[derive(Clone, Debug)]
enum Backend {
    #[cfg(feature = "postgres")]
    Postgres(PostgresStore),
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteStore),
}

/// Whether to connect at startup, which logs the problems of the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Connect {
    Now,
    OnDemand,
}

/// Calls a method of the backend.
macro_rules! backend {
    ($store:expr, $backend:ident => $call:expr) => {
        match &$store.0 {
            #[cfg(feature = "postgres")]
            Backend::Postgres($backend) => $call,
            #[cfg(feature = "sqlite")]
            Backend::Sqlite($backend) => $call,
        }
    };
}

impl DatabaseStore {
    /// Creates the store. The PostgreSQL server may be unavailable; the SQLite file must exist.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `DATABASE_URL` is missing or invalid, if the SQLite file cannot be opened, or
    /// if the feature for the database is disabled.
    pub async fn from_config(config: &Config) -> Result<Self, ConfigError> {
        Self::open(config, Connect::Now).await
    }

    pub(super) async fn open(config: &Config, connect: Connect) -> Result<Self, ConfigError> {
        let Some(url) = &config.database_url else {
            return Err(ConfigError::missing(
                "DATABASE_URL",
                "set it to `postgres://user:password@host:5432/database` or `sqlite:path/to/file.sqlite`",
            ));
        };
        match url {
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => {
                let builder = PostgresStore::builder(url).schema(config.schema.clone());
                let store = match connect {
                    Connect::Now => builder.connect().await?,
                    Connect::OnDemand => builder.build()?,
                };
                Ok(Self(Backend::Postgres(store)))
            }
            #[cfg(feature = "sqlite")]
            DatabaseUrl::Sqlite(path) => {
                let builder = SqliteStore::builder(path).schema(config.schema.clone());
                // Opening a file blocks.
                let store = tokio::task::spawn_blocking(move || builder.open()).await;
                let store = store.map_err(|_| {
                    ConfigError::new("DATABASE_URL", "cannot be opened", "restart the service")
                })?;
                Ok(Self(Backend::Sqlite(store?)))
            }
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => {
                let _ = connect;
                Err(ConfigError::feature_disabled("DATABASE_URL", "postgres"))
            }
            #[cfg(not(feature = "sqlite"))]
            DatabaseUrl::Sqlite(_) => Err(ConfigError::feature_disabled("DATABASE_URL", "sqlite")),
        }
    }
}

impl UserStore for DatabaseStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        backend!(self, store => store.resolve(lookup).await)
    }

    fn supports(&self, kind: LookupKind) -> bool {
        backend!(self, store => store.supports(kind))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        backend!(self, store => store.ready().await)
    }

    async fn diagnose(&self) -> Vec<Check> {
        backend!(self, store => store.diagnose().await)
    }

    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        backend!(self, store => store.server_time().await)
    }
}

impl MembershipStore for DatabaseStore {
    async fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        backend!(self, store => store.member(user_id, organization_id).await)
    }
}

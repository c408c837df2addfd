#![doc = "placeholder"]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authenticator;
mod body;
mod builder;
mod clock;
mod config_error;
mod credential;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database_store;
mod database_url;
mod environment;
mod future;
mod identity;
mod layer;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod rejection;
mod secret;
mod service;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod verify;

pub use self::authenticator::{Authenticate, Authenticator};
pub use self::body::ResponseBody;
pub use self::builder::BetterAuthLayerBuilder;
pub use self::clock::{Clock, SystemClock, Timestamp};
pub use self::config_error::ConfigError;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::database_store::DatabaseStore;
pub use self::database_url::DatabaseUrl;
pub use self::environment::Environment;
pub use self::future::ResponseFuture;
pub use self::identity::{CredentialKind, Identity, Session, SessionToken, User};
pub use self::layer::BetterAuthLayer;
#[cfg(feature = "memory")]
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresStore, PostgresStoreBuilder};
pub use self::rejection::{Rejection, RejectionKind};
pub use self::secret::{Secret, SecretError, SecretRing};
pub use self::service::BetterAuth;
pub use self::settings::Settings;
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteStore, SqliteStoreBuilder};
pub use self::store::{
    Column, EmailKey, Lookup, LookupKey, LookupKind, Naming, Resolution, Schema, StoreError,
    StoreErrorKind, StoreFn, TableName, TableNameError, UserStore, store_fn,
};

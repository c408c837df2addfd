//! Tower middleware that authenticates requests against a [Better Auth](https://www.better-auth.com) deployment.
//!
//! [`BetterAuthLayer`] takes a request, proves who sent it, and hands the service behind it an [`Identity`]: the user
//! and the active session. It works in every stack that is made of `tower::Service`: axum, hyper, tonic, or none.
//!
//! ```
//! use axum::{Extension, Router, routing::post};
//! use better_auth_layer::{BetterAuthLayer, Identity, Secret, UserStore};
//!
//! fn app(secret: Secret, store: impl UserStore) -> Result<Router, better_auth_layer::ConfigError> {
//!     let auth = BetterAuthLayer::builder().secret(secret).store(store).build()?;
//!     Ok(Router::new().route("/support/chatkit", post(chatkit)).layer(auth))
//! }
//!
//! async fn chatkit(Extension(identity): Extension<Identity>) -> String {
//!     format!("hello {}", identity.user().id())
//! }
//! ```
//!
//! # The road of a request
//!
//! 1. **Extract.** Exactly one `Authorization` header with the scheme `Bearer` (in any case), at most 8 KiB of token.
//!    Another scheme is nobody's credential. The request's body is never touched.
//! 2. **Verify.** A compact JWS with `alg: HS256`, signed with the deployment's secret, `typ` absent or `JWT`, no `crit`.
//!    Then the claims:
//!
//!    | claim | rule |
//!    |---|---|
//!    | `exp` | required, in the future |
//!    | `nbf` | if there, not in the future |
//!    | `iat` | if there, a number |
//!    | `iss` | exactly [`issuer`](BetterAuthLayerBuilder::issuer), where one is configured |
//!    | `aud` | if there, one of [`audience`](BetterAuthLayerBuilder::audience), else the issuer |
//!    | `email` | required; whom to look up |
//!    | `sub` | compared with the user's id on request; a mismatch is logged |
//!    | `sid` | if there, the one session that counts |
//!    | `updateTo`, `requestType`, an object `session` | must not be there: marks of Better Auth's own tokens |
//!
//!    And one of header `typ`, `sub`, `iss`, `aud` must be there, because Better Auth's own e-mail verification tokens,
//!    which are signed with the same secret, have none of them.
//! 3. **Resolve.** The [`UserStore`] is asked for the user and an active session. Its answer is checked against the
//!    question, the clock and the ban columns.
//! 4. **Pass or refuse.** The request goes on with an [`Identity`] in its extensions, or is answered with the status of
//!    its [`RejectionKind`], as JSON or, where the request is gRPC, as a gRPC status.
//!
//! That the token is bad (`401`) and that nobody can tell (`503`) are never confused: a store that fails, hangs or panics
//! is a `503` with `Retry-After`.
//!
//! # Features
//!
//! None is on by default. A feature adds API; no check depends on one.
//!
//! | feature | adds |
//! |---|---|
//! | `postgres` | `PostgresStore`, on tokio-postgres and deadpool-postgres |
//! | `sqlite` | `SqliteStore`, on rusqlite with a bundled SQLite |
//! | `memory` | `MemoryStore`, for tests |
//! | `dotenv` | `Environment::with_file`, for a `.env` file |
//! | `full` | all of them |
//!
//! # Runtime
//!
//! A lookup that has to wait is held to a deadline by Tokio's timer, so it needs a Tokio runtime with `enable_time`. A
//! store that answers at once works on any executor.
//!
//! # Testing a service behind the layer
//!
//! Give the layer a `MemoryStore`, or any closure with [`store_fn`], and a [`Clock`] of your own.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authenticator;
mod base_url;
mod body;
mod builder;
mod clock;
mod config_error;
mod credential;
mod csrf;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database_store;
mod database_url;
mod environment;
mod future;
mod identity;
mod jwks;
mod layer;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod rejection;
mod root_certificates;
mod secret;
mod service;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod verify;

pub use self::authenticator::{Authenticate, Authenticator};
pub use self::body::ResponseBody;
pub use self::builder::{ApiKeys, BetterAuthLayerBuilder};
pub use self::clock::{Clock, SystemClock, Timestamp};
pub use self::config_error::ConfigError;
pub use self::csrf::TrustedOrigin;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::database_store::DatabaseStore;
pub use self::database_url::DatabaseUrl;
pub use self::environment::Environment;
pub use self::future::ResponseFuture;
pub use self::identity::{
    ApiKey, ApiKeyHash, CredentialKind, Identity, Session, SessionToken, User,
};
pub use self::jwks::{
    JwksOptions, JwsAlgorithm, KeySet, KeySource, KeySourceError, RemoteKeySource,
};
pub use self::layer::BetterAuthLayer;
#[cfg(feature = "memory")]
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresKeySource, PostgresStore, PostgresStoreBuilder};
pub use self::rejection::{Rejection, RejectionKind};
pub use self::secret::{Secret, SecretError, SecretRing};
pub use self::service::BetterAuth;
pub use self::settings::Settings;
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteKeySource, SqliteStore, SqliteStoreBuilder};
pub use self::store::{
    Column, EmailKey, Lookup, LookupKey, LookupKind, Naming, Resolution, Schema, StoreError,
    StoreErrorKind, StoreFn, TableName, TableNameError, UserStore, store_fn,
};
pub use self::verify::CookieCache;

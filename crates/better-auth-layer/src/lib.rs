//! Tower middleware that authenticates requests against a [Better Auth](https://www.better-auth.com)
//! deployment.
//!
//! [`BetterAuthLayer`] verifies the credential of a request, looks up the user and the active session,
//! and inserts an [`Identity`] into the request's extensions. It works with every `tower::Service`, so
//! with axum, hyper and tonic.
//!
//! ```
//! # #[cfg(feature = "axum")] mod example {
//! use axum::{Router, routing::post};
//! use better_auth_layer::{BetterAuthLayer, ConfigError, Identity, Secret, UserStore};
//!
//! fn app(secret: Secret, store: impl UserStore) -> Result<Router, ConfigError> {
//!     let auth = BetterAuthLayer::builder()
//!         .secret(secret) // session cookies, session tokens, JWTs signed by the application
//!         .base_url("https://app.example.com") // JWTs of Better Auth: issuer, audience and keys
//!         .store(store)
//!         .build()?;
//!     Ok(Router::new().route("/support/chatkit", post(chatkit)).layer(auth))
//! }
//!
//! async fn chatkit(identity: Identity) -> String {
//!     format!("hello {}", identity.user().id())
//! }
//! # }
//! ```
//!
//! `BetterAuthLayer::from_env` reads the [`Config`] from environment variables. The [guide] has a page
//! for each framework and for each topic: configuration, stores, caching, authorization, CORS, proxies,
//! poolers, streams, custom rejections, metrics, OpenAPI and unit tests.
//!
//! # Credentials
//!
//! | credential | header | enabled by | lookup key |
//! |---|---|---|---|
//! | JWT that the application signs with the secret (HS256) | `Authorization: Bearer` | [`secret`](BetterAuthLayerBuilder::secret) | email |
//! | JWT of Better Auth's JWT plugin (EdDSA, ES256, ES512, RS256, PS256) | `Authorization: Bearer` | [`base_url`](BetterAuthLayerBuilder::base_url) | `sub`, the user id |
//! | signed session token (`set-auth-token`) | `Authorization: Bearer` | `secret` | token |
//! | session cookie | `Cookie` | `secret` | token |
//! | cookie cache, together with the session cookie | `Cookie` | [`cookie_cache`](BetterAuthLayerBuilder::cookie_cache) | no lookup |
//! | unsigned session token | `Authorization: Bearer` | [`accept_raw_session_tokens`](BetterAuthLayerBuilder::accept_raw_session_tokens) | token |
//! | API key | `x-api-key` | [`api_keys`](BetterAuthLayerBuilder::api_keys) | hash |
//!
//! The layer uses the first credential that it finds: a bearer token, then an API key, then a cookie. If
//! that credential is invalid, the request is rejected and other credentials are not tried. The header
//! and the form of a credential determine its kind. [`Identity::credential`] returns the kind.
//! [`CredentialSource`] configures other headers and another order.
//!
//! # Modes
//!
//! | | no credential | invalid credential | backend unavailable |
//! |---|---|---|---|
//! | default | `401` | `401`, `403`, `404` | `503` |
//! | [`optional`](BetterAuthLayer::optional) | forwarded as anonymous | `401`, `403`, `404` | `503` |
//! | [`Authenticator::authenticate`] | `Err(Rejection)` | `Err(Rejection)` | `Err(Rejection)` |
//!
//! The module [`authorize`] adds roles, permissions and other policies. A handler that requires an
//! identity without a layer responds with `500`.
//!
//! # Request path
//!
//! 1. **Extract.** The layer reads a bearer token (at most 8 KiB), an API key or the session cookie.
//!    Another scheme in `Authorization` counts as no bearer token. Several `Authorization` headers
//!    are rejected with `401`. The request body is not touched.
//! 2. **Check the origin.** This step applies to requests with a cookie that may change state: every
//!    method but `GET`, `HEAD` and `OPTIONS`, and upgrades. If the request comes from a browser,
//!    `Sec-Fetch-Site` must be `same-origin` or `none`, or `Origin` must be the origin of the
//!    [`base_url`](BetterAuthLayerBuilder::base_url) or a
//!    [`trusted_origin`](BetterAuthLayerBuilder::trusted_origin). Other requests get a `403`.
//! 3. **Verify.** A JWT with `alg: HS256` is verified only with the secret. A JWT with another `alg`
//!    is verified only with the JWKS key that has its `kid`, and only if that key is for this
//!    algorithm. `typ` must be absent
//!    or `JWT`, and `crit` must be absent. Then the claims are validated:
//!
//!    | claim | signed with the secret | signed with a JWKS key |
//!    |---|---|---|
//!    | `exp` | required, in the future | same |
//!    | `nbf` | optional, not in the future | same |
//!    | `iat` | optional, a number | same |
//!    | `iss` | equals [`issuer`](BetterAuthLayerBuilder::issuer) if one is configured | equals the origin of the base URL or [`jwks_issuer`](BetterAuthLayerBuilder::jwks_issuer) |
//!    | `aud` | optional; one of [`audience`](BetterAuthLayerBuilder::audience), default: the issuer | required; one of `audience`, default: the origin of the base URL |
//!    | `email` | required, the lookup key | ignored |
//!    | `sub` | compared with the user id if configured; otherwise a mismatch is logged | required, the lookup key |
//!    | `sid` | optional; then only this session is accepted | same |
//!    | claims of other token types | `updateTo`, `requestType` and an object `session` are rejected | `azp`, `client_id`, `events`, `nonce`, `at_hash` and an object `session` are rejected |
//!
//!    A JWT that is signed with the secret must also have a `typ` header or one of `sub`, `iss` and
//!    `aud`. Better Auth signs its email verification tokens with the same secret and without these.
//!    The signature of a session token only proves that Better Auth issued it. The store determines
//!    whether the session exists.
//! 4. **Resolve.** The [`UserStore`] looks up the user and an active session. The layer validates the
//!    result against the lookup, the clock and the ban columns. An unknown session token or API key is
//!    rejected with `401`.
//! 5. **Respond or forward.** The request is forwarded with an [`Identity`] in its extensions, or
//!    rejected with the status of its [`RejectionKind`]. The response is JSON, or a gRPC status for
//!    gRPC requests.
//!
//! An invalid credential (`401`) and an unavailable backend (`503`) are never confused: a store that
//! fails, times out or panics results in a `503` with `Retry-After`, and so does a key set that cannot
//! be fetched.
//!
//! # Public keys
//!
//! The layer fetches the key set when a token first needs it, and refreshes it in the background every
//! five minutes. An unknown `kid` causes one fetch that all waiting requests share, at most every thirty
//! seconds. While the issuer is unavailable, the known keys remain valid for an hour
//! ([`JwksOptions`](jwks::JwksOptions)). The layer sends no part of a token to the issuer.
//!
//! # Caching
//!
//! Every request queries the store by default. [`CachedStore`](cache::CachedStore) caches results for up
//! to five seconds; with a `PostgresListener` (feature `postgres`), revocations take effect within
//! milliseconds. Concurrent identical lookups share one query. Without a cache, a request never gets
//! the result of a query that started before the request arrived.
//!
//! # Features
//!
//! Features add API. No security check depends on a feature.
//!
//! | feature | adds |
//! |---|---|
//! | `axum` | extractors: `Identity`, `Option<Identity>`, `User`, `Option<User>`, `Session`, `Member`, `Authorized<Policy>` |
//! | `tonic` | `identity(&request)`, `authorize` and response streams that end with the session |
//! | `postgres` | `PostgresStore` and `PostgresListener`, on tokio-postgres and deadpool-postgres |
//! | `sqlite` | `SqliteStore`, on rusqlite with a bundled SQLite |
//! | `testing` | `testing::TestDeployment`, an in-process deployment for tests |
//! | `metrics` | counters and histograms through the `metrics` facade |
//! | `jwks-http` (default) | `RemoteKeySource`, `base_url` and `jwks_url` without another key source |
//! | `dotenv` | `Env::with_file`, for `.env` files |
//! | `full` | all features except `testing` |
//!
//! # Runtime
//!
//! Lookups that wait need a Tokio runtime with `enable_time`. Remote key sets also need `enable_io`.
//! Stores that respond immediately and static keys work on any executor.
//!
#![cfg_attr(
    all(feature = "full", feature = "testing"),
    doc = "[guide]: crate::guide"
)]
#![cfg_attr(
    not(all(feature = "full", feature = "testing")),
    doc = "[guide]: https://docs.rs/better-auth-layer/latest/better_auth_layer/guide/index.html"
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod api_key;
mod authenticator;
pub mod authorize;
#[cfg(feature = "axum")]
pub mod axum;
mod base_url;
mod body;
mod builder;
pub mod cache;
pub mod clock;
pub mod config;
mod config_error;
mod credential;
pub mod csrf;
mod decide;
pub mod diagnostics;
mod future;
#[cfg(all(feature = "full", feature = "testing", any(doc, doctest)))]
#[cfg_attr(docsrs, doc(auto_cfg = false))]
pub mod guide;
mod identity;
pub mod jwks;
mod layer;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod organization;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod rejection;
mod schema;
mod secret;
mod service;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod store;
pub mod stream;
mod sync;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(feature = "jwks-http", feature = "postgres"))]
mod tls;
#[cfg(feature = "tonic")]
pub mod tonic;
mod verify;

pub use self::api_key::ApiKey;
pub use self::authenticator::{Authenticate, Authenticator};
pub use self::body::ResponseBody;
pub use self::builder::BetterAuthLayerBuilder;
pub use self::config::Config;
pub use self::config_error::ConfigError;
pub use self::credential::CredentialSource;
pub use self::future::ResponseFuture;
pub use self::identity::{CredentialKind, Identity, Session, SessionToken, User};
pub use self::layer::BetterAuthLayer;
pub use self::rejection::{Rejection, RejectionKind};
pub use self::secret::Secret;
pub use self::service::BetterAuth;
pub use self::store::{Lookup, Resolution, StoreError, UserStore};
pub use self::verify::CookieCache;

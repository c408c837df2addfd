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
//!     let auth = BetterAuthLayer::builder()
//!         .secret(secret) // cookies, session tokens, JWTs of the application's own
//!         .base_url("https://app.example.com") // JWTs of Better Auth's: issuer, audience and keys follow
//!         .store(store)
//!         .build()?;
//!     Ok(Router::new().route("/support/chatkit", post(chatkit)).layer(auth))
//! }
//!
//! async fn chatkit(Extension(identity): Extension<Identity>) -> String {
//!     format!("hello {}", identity.user().id())
//! }
//! ```
//!
//! `BetterAuthLayer::from_env` takes the [settings](Config) of the environment; with the feature `axum` handlers take the
//! [`Identity`] itself. The [guide] has a page for each stack (axum, tonic, hyper, plain Tower) and for
//! each question: several layers, authorization, CORS, proxies, poolers, a staging issuer, event streams and WebSockets,
//! error pages, metrics, OpenAPI, unit tests, and what the compiler may say.
//!
//! # Credentials
//!
//! | credential | where | accepted with | looked up by |
//! |---|---|---|---|
//! | JWT that the application signed with the secret (HS256) | `Authorization: Bearer` | [`secret`](BetterAuthLayerBuilder::secret) | e-mail address |
//! | JWT of Better Auth's JWT plugin (EdDSA, ES256, ES512, RS256, PS256) | `Authorization: Bearer` | [`base_url`](BetterAuthLayerBuilder::base_url) | `sub`, the user's id |
//! | session token with its signature (`set-auth-token`) | `Authorization: Bearer` | `secret` | token |
//! | session cookie | `Cookie` | `secret` | token |
//! | cookie cache, beside the session cookie | `Cookie` | [`cookie_cache`](BetterAuthLayerBuilder::cookie_cache) | not at all |
//! | session token without a signature | `Authorization: Bearer` | [`accept_raw_session_tokens`](BetterAuthLayerBuilder::accept_raw_session_tokens) | token |
//! | API key | `x-api-key` | [`api_keys`](BetterAuthLayerBuilder::api_keys) | hash |
//!
//! A request has one credential: `Authorization: Bearer` goes before an API key, an API key before a cookie, and if it
//! is bad, no other one is looked at. Which of them it is follows from where it stands and from its form, never from
//! trying. [`Identity::credential`] says what proved the sender.
//!
//!
//! [`CredentialSource`] names other places and another order: a header, a WebSocket's subprotocol, a function.
//!
//! # Modes
//!
//! | | a request without a credential | a bad one | nobody can tell |
//! |---|---|---|---|
//! | the layer as it is | `401` | `401`, `403`, `404` | `503` |
//! | [`optional`](BetterAuthLayer::optional) | passes, as nobody's | the same | `503` |
//! | [`Authenticator::authenticate`] | a [`Rejection`] to deal with | the same | the same |
//!
//! What stands behind the layer may ask for more: see [`authorize`] for roles, permissions and fresh sessions. A handler
//! that asks for an identity where no layer has looked for one gets a `500`, never a stranger.
//!
//! # The road of a request
//!
//! 1. **Extract.** Exactly one `Authorization` header with the scheme `Bearer` (in any case), at most 8 KiB of token.
//!    Another scheme is nobody's credential. The request's body is never touched.
//! 2. **Guard.** A request that comes with a cookie, may change something (any method but `GET`, `HEAD` and `OPTIONS`, or
//!    an upgrade) and was made by a browser must come from a trusted page: `Sec-Fetch-Site` is `same-origin` or `none`, or
//!    `Origin` is that of the [`base_url`](BetterAuthLayerBuilder::base_url) or a
//!    [`trusted_origin`](BetterAuthLayerBuilder::trusted_origin). Else it is `403`.
//! 3. **Verify.** The header's `alg` picks the verifier, never the key: `HS256` is only ever the secret, everything else
//!    only ever a key of the JWKS with that `kid` and that algorithm. `typ` is absent or `JWT`, no `crit`. Then the claims:
//!
//!    | claim | signed with the secret | signed with a key of the JWKS |
//!    |---|---|---|
//!    | `exp` | required, in the future | the same |
//!    | `nbf` | if there, not in the future | the same |
//!    | `iat` | if there, a number | the same |
//!    | `iss` | exactly [`issuer`](BetterAuthLayerBuilder::issuer), where one is configured | exactly the base URL's origin, or [`jwks_issuer`](BetterAuthLayerBuilder::jwks_issuer) |
//!    | `aud` | if there, one of [`audience`](BetterAuthLayerBuilder::audience), else the issuer | required; one of `audience`, else the base URL's origin |
//!    | `email` | required; whom to look up | not looked at |
//!    | `sub` | compared with the user's id on request; a mismatch is logged | required; whom to look up |
//!    | `sid` | if there, the one session that counts | the same |
//!    | marks of other tokens of the same keys | `updateTo`, `requestType`, an object `session` must not be there | `azp`, `client_id`, `events`, `nonce`, `at_hash`, an object `session` must not be there |
//!
//!    And one of header `typ`, `sub`, `iss`, `aud` must be there in a token that is signed with the secret, because
//!    Better Auth's own e-mail verification tokens, which are signed with it too, have none of them. A session token's
//!    signature proves that somebody signed this text once; whether it is a session's, the store has to say.
//! 4. **Resolve.** The [`UserStore`] is asked for the user and an active session. Its answer is checked against the
//!    question, the clock and the ban columns. A session token or an API key that names no row is `401`.
//! 5. **Pass or refuse.** The request goes on with an [`Identity`] in its extensions, or is answered with the status of
//!    its [`RejectionKind`], as JSON or, where the request is gRPC, as a gRPC status.
//!
//! That the token is bad (`401`) and that nobody can tell (`503`) are never confused: a store that fails, hangs or panics
//! is a `503` with `Retry-After`, and so are keys that cannot be had.
//!
//! # Public keys
//!
//! They are fetched when they are first needed, and again in the background every five minutes. A token with an unknown
//! `kid` has them fetched once more, for all who wait for it at once, and not again within thirty seconds. While the
//! issuer is down the keys that are known go on serving for an hour; see [`JwksOptions`]. Nothing of a token is sent to
//! the issuer.
//!
//! # Caching
//!
//! Every request asks the store, unless it is a [`CachedStore`]: then a revocation takes effect up to 5 seconds later, or,
//! with a `PostgresListener` (feature `postgres`), within milliseconds. Identical lookups that are asked at the same time
//! are asked once in either case; nobody gets an answer to a question that was asked before their request came.
//!
//! # Features
//!
//! None is on by default. A feature adds API; no check depends on one.
//!
//! | feature | adds |
//! |---|---|
//! | `axum` | extractors: `Identity`, `Option<Identity>`, `User`, `Session`, `Authorized<Policy>` |
//! | `tonic` | `identity(&request)`, `authorize`, and streams that end with the session |
//! | `postgres` | `PostgresStore` and `PostgresListener`, on tokio-postgres and deadpool-postgres |
//! | `sqlite` | `SqliteStore`, on rusqlite with a bundled SQLite |
//! | `memory` | `MemoryStore`, for tests |
//! | `testing` | `testing::TestDeployment`, a deployment in the test's own process; has `memory` in it |
//! | `metrics` | counters and histograms, through the facade of that name |
//! | `dotenv` | `Env::with_file`, for a `.env` file |
//! | `full` | all of them but `testing` |
//!
//! # Runtime
//!
//! A lookup that has to wait is held to a deadline by Tokio's timer, so it needs a Tokio runtime with `enable_time`;
//! keys from an address are fetched on one with `enable_io`, too. A store that answers at once and keys that never change
//! work on any executor.
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

mod authenticator;
pub mod authorize;
#[cfg(feature = "axum")]
pub mod axum;
mod base_url;
mod body;
mod builder;
mod cache;
mod clock;
mod config_error;
mod credential;
mod csrf;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database_store;
mod database_url;
mod diagnosis;
mod environment;
mod future;
mod gate;
#[cfg(all(feature = "full", feature = "testing", any(doc, doctest)))]
#[cfg_attr(docsrs, doc(auto_cfg = false))]
pub mod guide;
mod identity;
mod jwks;
mod layer;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "metrics")]
pub mod metrics;
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
mod stream;
mod sync;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tonic")]
pub mod tonic;
mod verify;

pub use self::authenticator::{Authenticate, Authenticator};
pub use self::body::ResponseBody;
pub use self::builder::{ApiKeys, BetterAuthLayerBuilder};
pub use self::cache::{CacheInvalidator, CachedStore, CachedStoreBuilder};
pub use self::clock::{Clock, SystemClock, Timestamp};
pub use self::config_error::ConfigError;
pub use self::credential::CredentialSource;
pub use self::csrf::TrustedOrigin;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::database_store::DatabaseStore;
pub use self::database_url::DatabaseUrl;
pub use self::diagnosis::{Check, CheckStatus, HealthReport};
pub use self::environment::Env;
pub use self::future::ResponseFuture;
pub use self::identity::{
    ApiKey, ApiKeyHash, CredentialKind, Identity, Member, Session, SessionToken, User,
};
pub use self::jwks::{
    JwksOptions, JwsAlgorithm, KeySet, KeySource, KeySourceError, RemoteKeySource,
};
pub use self::layer::BetterAuthLayer;
#[cfg(feature = "memory")]
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::{
    PostgresKeySource, PostgresListener, PostgresListenerBuilder, PostgresStore,
    PostgresStoreBuilder, StatementMode,
};
pub use self::rejection::{ProblemJson, Rejection, RejectionKind, RenderRejection, RetryAfter};
pub use self::secret::{Secret, SecretError, SecretRing};
pub use self::service::BetterAuth;
pub use self::settings::Config;
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteKeySource, SqliteStore, SqliteStoreBuilder};
pub use self::store::{
    Column, EmailKey, Lookup, LookupKey, LookupKind, MembershipFn, MembershipStore, Naming,
    Resolution, Schema, StoreError, StoreErrorKind, StoreFn, TableName, TableNameError, UserStore,
    membership_fn, store_fn,
};
pub use self::stream::{SessionEndReason, SessionEnded, UntilSessionEnd};
pub use self::verify::CookieCache;

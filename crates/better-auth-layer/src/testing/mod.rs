//! A test kit for services behind the layer (feature `testing`): a Better Auth deployment in the
//! test process, without a database, a network or Node.js.
//!
//! ```
//! use axum::{Extension, Router, body::Body, routing::get};
//! use better_auth_layer::testing::TestDeployment;
//! use better_auth_layer::{BetterAuthLayer, Identity};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//!
//! // The service.
//! fn app(auth: BetterAuthLayer) -> Router {
//!     Router::new().route("/me", get(me)).layer(auth)
//! }
//!
//! async fn me(Extension(identity): Extension<Identity>) -> String {
//!     format!("hello {}", identity.user().email())
//! }
//!
//! // Its test: `#[tokio::test] async fn sign_out_ends_access() {`
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let issuer = TestDeployment::new();
//! let session = issuer.user("ada@example.com").create().sign_in();
//! let app = app(issuer.layer());
//!
//! let request = session.cookie().apply(Request::get("/me")).body(Body::empty()).unwrap();
//! let response = app.clone().oneshot(request).await.unwrap();
//! assert_eq!(response.status(), StatusCode::OK);
//!
//! session.sign_out();
//! let request = session.cookie().apply(Request::get("/me")).body(Body::empty()).unwrap();
//! let response = app.oneshot(request).await.unwrap();
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! # }
//! ```
//!
//! | purpose | items |
//! |---|---|
//! | a signed-in user | [`TestDeployment::user`], [`TestUser::sign_in`], [`TestUser::session`] |
//! | valid credentials | the methods of [`TestSession`], [`TestApiKey::credential`] |
//! | invalid credentials | [`JwtBuilder`], [`Credential::tampered`], a second [`TestDeployment`], [`TestUser::email_verification_token`] |
//! | a layer | [`TestDeployment::layer`], [`TestDeployment::layer_builder`] for other settings |
//! | time | [`TestDeployment::advance`], [`TestClock`] |
//! | ended sessions and users | [`TestSession::sign_out`], [`TestUser::ban`], [`TestUser::delete`], [`TestApiKey::disable`] |
//! | new keys | [`TestDeployment::rotate_keys`], [`TestDeployment::retire_old_keys`] |
//! | faults | [`TestDeployment::break_store`], [`TestDeployment::break_keys`] |
//! | counts | [`TestDeployment::lookups`], [`TestDeployment::key_fetches`] |
//! | a handler without a layer | [`TestDeployment::identity`], [`identity()`] |
//!
//! Keys and signatures are real, and the layer is the production one: nothing is disabled for
//! tests. Ids, tokens and keys are random. The time starts at [`TestClock::START`] and changes only
//! when the test advances it.
//!
//! Misuse panics, for example two users with the same email or a session for a deleted user. Use
//! this module in tests only, with the feature in `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! better-auth-layer = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A tokio runtime is required where the layer requires one: for key fetches of [JWTs of the JWT
//! plugin](TestSession::jwt), and for the timeout of a store that [hangs](StoreFault::Hangs).

mod api_key;
mod builder;
mod clock;
mod cookie_cache;
mod credential;
mod deployment;
mod identity;
mod json;
mod jwt;
mod keys;
mod panic;
mod random;
mod session;
mod state;
mod store;
mod user;

pub use self::api_key::{ApiKeyBuilder, TestApiKey};
pub use self::builder::TestDeploymentBuilder;
pub use self::clock::TestClock;
pub use self::credential::Credential;
pub use self::deployment::TestDeployment;
pub use self::identity::{api_key_identity, identity};
pub use self::jwt::JwtBuilder;
pub use self::session::{SessionBuilder, TestSession};
pub use self::store::{KeysFault, StoreFault};
pub use self::user::{TestUser, UserBuilder};

//! A test kit for services behind the layer (feature `testing`): a Better Auth deployment in the test's own process,
//! without a database, a network or Node.js.
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
//! // Its test: `#[tokio::test] async fn ada_is_greeted_until_she_signs_out() {`
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
//! | a test wants | |
//! |---|---|
//! | somebody who has signed in | [`TestDeployment::user`], [`TestUser::sign_in`], [`TestUser::session`] |
//! | something to send | the methods of [`TestSession`], [`TestApiKey::credential`] |
//! | something to be refused | [`JwtBuilder`], [`Credential::tampered`], a second [`TestDeployment`], [`TestUser::email_verification_token`] |
//! | a layer | [`TestDeployment::layer`], [`TestDeployment::layer_builder`] for settings of its own |
//! | time to pass | [`TestDeployment::advance`], [`TestClock`] |
//! | sessions and users to end | [`TestSession::sign_out`], [`TestUser::ban`], [`TestUser::delete`], [`TestApiKey::disable`] |
//! | new keys | [`TestDeployment::rotate_keys`], [`TestDeployment::retire_old_keys`] |
//! | something to fail | [`TestDeployment::break_store`], [`TestDeployment::break_keys`] |
//! | to know what was asked | [`TestDeployment::lookups`], [`TestDeployment::key_fetches`] |
//! | a handler without a layer | [`TestDeployment::identity`], [`identity()`] |
//!
//! Keys and signatures are real, and the layer is the one that serves users: nothing is switched off for the test. Ids,
//! tokens and keys are random; time is not: it stands at [`TestClock::START`] until the test moves it.
//!
//! What is used wrongly (two users with one e-mail address, a session for somebody who was deleted) panics, since that is
//! how a test fails. So this module is for tests: put the feature into `[dev-dependencies]`.
//!
//! ```toml
//! [dev-dependencies]
//! better-auth-layer = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A Tokio runtime is needed where the layer needs one: to fetch keys for [JWTs of the JWT plugin](TestSession::jwt), and to
//! give up a store that [hangs](StoreFault::Hangs).

mod api_key_builder;
mod content_key;
mod cookie_cache;
mod credential;
mod deployment;
mod fault;
mod identity;
mod issuer_builder;
mod issuer_keys;
mod json_object;
mod jwt_builder;
mod must;
mod random;
mod session_builder;
mod signing_key;
mod test_api_key;
mod test_clock;
mod test_issuer;
mod test_session;
mod test_store;
mod test_user;
mod user_builder;

pub use self::api_key_builder::ApiKeyBuilder;
pub use self::credential::Credential;
pub use self::fault::{KeysFault, StoreFault};
pub use self::identity::{api_key_identity, identity};
pub use self::issuer_builder::TestDeploymentBuilder;
pub use self::jwt_builder::JwtBuilder;
pub use self::session_builder::SessionBuilder;
pub use self::test_api_key::TestApiKey;
pub use self::test_clock::TestClock;
pub use self::test_issuer::TestDeployment;
pub use self::test_session::TestSession;
pub use self::test_user::TestUser;
pub use self::user_builder::UserBuilder;

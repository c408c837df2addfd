//! Authorization: roles, permissions and other policies behind the layer.
//!
//! [`AuthorizeLayer`] goes behind [`BetterAuthLayer`](crate::BetterAuthLayer) and applies a
//! [`Policy`] to the [`Identity`](crate::Identity) of a request. If the policy does not allow the
//! identity, the response is `403 {"error": "Permission denied", "status": 403}`, or
//! `PERMISSION_DENIED` in gRPC. An anonymous request gets a `401`. The outer layer's
//! [renderer](crate::BetterAuthLayerBuilder::rejection_renderer) creates the responses.
//!
//! A policy is one of the types in this module, an application type or a closure:
//!
//! ```
//! use std::time::Duration;
//! use axum::{Router, routing::{delete, post}};
//! use better_auth_layer::authorize::{AuthorizeLayer, FreshSession, Policy, Role, VerifiedEmail};
//! use better_auth_layer::{BetterAuthLayer, Identity};
//!
//! fn app(auth: BetterAuthLayer) -> Router {
//!     Router::new()
//!         .route("/posts", post(write).layer(AuthorizeLayer::new(Role::any(["editor", "admin"]))))
//!         .route("/account", delete(close).layer(AuthorizeLayer::new(FreshSession::within(Duration::from_secs(300)))))
//!         .route("/staff", post(write).layer(AuthorizeLayer::new(VerifiedEmail.and(is_staff))))
//!         .layer(auth) // the last layer is the outermost
//! }
//!
//! fn is_staff(identity: &Identity) -> bool {
//!     identity.user().email().ends_with("@example.com")
//! }
//! # async fn write() {}
//! # async fn close() {}
//! ```
//!
//! [`MembershipLayer`](crate::organization::MembershipLayer) checks membership in an organization, which needs a store lookup.
//!
//! With the feature `axum`, the extractor `better_auth_layer::axum::Authorized` applies a policy and
//! returns the identity.

mod future;
mod layer;
mod policy;
mod service;

pub use self::future::ResponseFuture;
pub use self::layer::AuthorizeLayer;
pub use self::policy::{
    And, ApiKeyPermission, FreshSession, NotImpersonated, Or, Policy, Role, SessionOnly,
    VerifiedEmail,
};
pub use self::service::Authorize;
#[cfg(feature = "tonic")]
pub(crate) use self::service::denied;
#[cfg(feature = "axum")]
pub(crate) use self::service::permit;

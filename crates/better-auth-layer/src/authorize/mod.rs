//! Authorization: what somebody who has been authenticated may do.
//!
//! [`AuthorizeLayer`] stands behind [`BetterAuthLayer`](crate::BetterAuthLayer) and lets a request pass if its
//! [`Identity`](crate::Identity) meets a [`Policy`]. Everybody else gets `403 {"error": "Permission denied", "status": 403}`
//! or, in gRPC, `PERMISSION_DENIED`; whoever has not signed in gets the `401`. Refusals look as the layer in front
//! [renders](crate::BetterAuthLayerBuilder::rejection_renderer) them.
//!
//! A policy is one of the types here, a type of the application's own, or a closure:
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
//!         .layer(auth) // last, so that it comes first
//! }
//!
//! fn is_staff(identity: &Identity) -> bool {
//!     identity.user().email().ends_with("@example.com")
//! }
//! # async fn write() {}
//! # async fn close() {}
//! ```
//!
//! Whether somebody is a member of an organization, the store has to say: that is [`MembershipLayer`].
//!
//! A handler that wants the identity as well takes the extractor `better_auth_layer::axum::Authorized` (feature `axum`).

mod future;
mod layer;
mod membership;
mod membership_future;
mod membership_layer;
mod policy;
mod service;

pub use self::future::ResponseFuture;
pub use self::layer::AuthorizeLayer;
pub use self::membership::Membership;
pub use self::membership_future::MembershipFuture;
pub use self::membership_layer::MembershipLayer;
pub use self::policy::{
    And, ApiKeyPermission, FreshSession, NotImpersonated, Or, Policy, Role, SessionOnly,
    VerifiedEmail,
};
pub use self::service::Authorize;
#[cfg(feature = "tonic")]
pub(crate) use self::service::denied;
#[cfg(feature = "axum")]
pub(crate) use self::service::permit;

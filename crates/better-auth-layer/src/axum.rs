//! Extractors for [axum](https://docs.rs/axum) (feature `axum`).
//!
//! [`Identity`], [`User`] and [`Session`] are extractors behind
//! [`BetterAuthLayer`](crate::BetterAuthLayer), and [`Member`] behind a
//! [`MembershipLayer`](crate::organization::MembershipLayer). [`Authorized`] also applies a [`Policy`]:
//!
//! ```
//! use axum::{Router, routing::{delete, get}};
//! use better_auth_layer::axum::Authorized;
//! use better_auth_layer::authorize::Policy;
//! use better_auth_layer::{BetterAuthLayer, Identity, User};
//!
//! fn app(auth: BetterAuthLayer) -> Router {
//!     let open = Router::new().route("/", get(home)).layer(auth.clone().optional());
//!     Router::new()
//!         .route("/me", get(me))
//!         .route("/posts", delete(clear))
//!         .layer(auth)
//!         .merge(open)
//! }
//!
//! async fn me(user: User) -> String {
//!     format!("hello {}", user.email())
//! }
//!
//! async fn home(identity: Option<Identity>) -> &'static str {
//!     if identity.is_some() { "welcome back" } else { "hello" }
//! }
//!
//! #[derive(Default)]
//! struct Admin;
//!
//! impl Policy for Admin {
//!     fn allows(&self, identity: &Identity) -> bool {
//!         identity.user().roles().any(|role| role == "admin")
//!     }
//! }
//!
//! async fn clear(Authorized(identity, Admin): Authorized<Admin>) -> String {
//!     format!("cleared by {}", identity.user().id())
//! }
//! ```
//!
//! Without the layer, the extractors respond with `500` and log the route. `Option<Identity>` does
//! the same, so a missing layer never makes every request anonymous.
//!
//! [`Rejection`] implements `IntoResponse`, so handlers can return it.

use std::fmt;

use ::axum_core::body::Body;
use ::axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use ::axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;

use crate::authorize::{Policy, permit};
use crate::identity::{Identity, Member, Session, User, report_missing_layer, required};
use crate::rejection::{Rejection, RejectionKind, json_response};

/// Extracts the identity. An anonymous request is rejected with `401`.
impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = IdentityRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, IdentityRejection> {
        extract(parts, required).cloned()
    }
}

/// Extracts the identity behind an [optional](crate::BetterAuthLayer::optional) layer.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Identity {
    type Rejection = IdentityRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, IdentityRejection> {
        let identity = extract(parts, |parts| {
            let identity = Self::from_extensions_opt(&parts.extensions);
            identity.inspect_err(|rejection| report_missing_layer(rejection, parts))
        })?;
        Ok(identity.cloned())
    }
}

/// Extracts a clone of the user. [`Identity`] is cheaper to extract.
impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = IdentityRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, IdentityRejection> {
        let identity = extract(parts, required)?;
        Ok(identity.user().clone())
    }
}

/// Extracts the user behind an [optional](crate::BetterAuthLayer::optional) layer.
impl<S: Send + Sync> OptionalFromRequestParts<S> for User {
    type Rejection = IdentityRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, IdentityRejection> {
        let identity =
            <Identity as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(identity.map(|identity| identity.user().clone()))
    }
}

/// Extracts a clone of the session. Requests with an API key have no session and are rejected with
/// `403`. For a JWT that [identifies no session](Identity::is_session_bound), it is one of the
/// user's active sessions.
impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = IdentityRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, IdentityRejection> {
        let session = extract(parts, |parts| {
            let session = required(parts)?.session();
            session.ok_or_else(|| Rejection::new(RejectionKind::PermissionDenied))
        })?;
        Ok(session.clone())
    }
}

/// Extracts the membership that a [`MembershipLayer`](crate::organization::MembershipLayer) inserted.
impl<S: Send + Sync> FromRequestParts<S> for Member {
    type Rejection = IdentityRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, IdentityRejection> {
        let member = extract(parts, |parts| {
            let user_id = required(parts)?.user().id();
            let member = parts.extensions.get::<Self>();
            // An inner BetterAuthLayer may have authenticated another user.
            let member = member.filter(|member| member.user_id() == user_id);
            member.ok_or_else(|| {
                tracing::error!(
                    outcome = RejectionKind::MissingLayer.as_str(),
                    method = %parts.method,
                    route = ?parts.uri.path(),
                    "route requires a member but has no MembershipLayer"
                );
                Rejection::new(RejectionKind::MissingLayer)
            })
        })?;
        Ok(member.clone())
    }
}

/// Extracts the identity if a [`Policy`] allows it. Other requests are rejected with `403`.
///
/// The policy must implement `Default`: see the [module](self) for an example. A policy with
/// parameters, such as [`Role`](crate::authorize::Role), needs an
/// [`AuthorizeLayer`](crate::authorize::AuthorizeLayer) or a wrapper type.
///
/// ```
/// use better_auth_layer::authorize::VerifiedEmail;
/// use better_auth_layer::axum::Authorized;
///
/// async fn invite(Authorized(identity, VerifiedEmail): Authorized<VerifiedEmail>) -> String {
///     format!("invited by {}", identity.user().id())
/// }
/// # let _ = axum::Router::<()>::new().route("/invite", axum::routing::post(invite));
/// ```
#[derive(Clone, Debug)]
pub struct Authorized<P>(pub Identity, pub P);

impl<S, P> FromRequestParts<S> for Authorized<P>
where
    S: Send + Sync,
    P: Policy + Default,
{
    type Rejection = IdentityRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, IdentityRejection> {
        let policy = P::default();
        let identity = extract(parts, |parts| permit(&policy, parts))?.clone();
        Ok(Self(identity, policy))
    }
}

fn extract<'a, T>(
    parts: &'a Parts,
    find: impl FnOnce(&'a Parts) -> Result<T, Rejection>,
) -> Result<T, IdentityRejection> {
    find(parts).map_err(|rejection| IdentityRejection {
        response: Box::new(rejection.to_response(parts)),
        rejection,
    })
}

/// Rejection of the extractors in this module. The layer's renderer creates the response.
///
/// Custom extractors can return it:
///
/// ```
/// use axum::{extract::FromRequestParts, http::request::Parts};
/// use better_auth_layer::Identity;
/// use better_auth_layer::axum::IdentityRejection;
///
/// struct UserId(String);
///
/// impl<S: Send + Sync> FromRequestParts<S> for UserId {
///     type Rejection = IdentityRejection;
///
///     async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, IdentityRejection> {
///         let identity = Identity::from_request_parts(parts, state).await?;
///         Ok(Self(identity.user().id().to_owned()))
///     }
/// }
/// ```
#[derive(Debug)]
pub struct IdentityRejection {
    rejection: Rejection,
    response: Box<http::Response<Bytes>>,
}

impl IdentityRejection {
    /// The kind of the rejection.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.rejection.kind()
    }
}

impl IntoResponse for IdentityRejection {
    fn into_response(self) -> Response {
        self.response.map(Body::from)
    }
}

impl fmt::Display for IdentityRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.rejection, f)
    }
}

impl std::error::Error for IdentityRejection {}

/// Creates the default JSON response. Neither the request nor the layer's renderer is known here;
/// [`Rejection::to_response`] uses both.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        json_response(&self).map(Body::from)
    }
}

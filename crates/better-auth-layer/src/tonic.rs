//! Integration with [tonic](https://docs.rs/tonic) (feature `tonic`).
//!
//! `Server::builder().layer(auth)` applies the layer to every service of the server. Rejections are
//! gRPC statuses: `UNAUTHENTICATED`, `PERMISSION_DENIED`, `NOT_FOUND`, `INTERNAL`, `UNAVAILABLE`.
//! Methods read the identity with [`identity`]:
//!
//! ```
//! use better_auth_layer::authorize::Role;
//! use better_auth_layer::tonic::{authorize, identity};
//! use tonic::{Request, Response, Status};
//!
//! async fn greet(request: Request<()>) -> Result<Response<String>, Status> {
//!     let identity = identity(&request)?;
//!     Ok(Response::new(format!("hello {}", identity.user().id())))
//! }
//!
//! async fn shut_down(request: Request<()>) -> Result<Response<()>, Status> {
//!     authorize(&request, &Role::new("admin"))?;
//!     Ok(Response::new(()))
//! }
//! # let _ = (greet, shut_down);
//! ```
//!
//! [`UntilSessionEnd`](crate::stream::UntilSessionEnd) ends response streams with the session:
//!
//! ```
//! use better_auth_layer::{stream::UntilSessionEnd, tonic::identity};
//! use tonic::{Request, Response, Status};
//!
//! type Events = tokio_stream::Iter<std::vec::IntoIter<Result<String, Status>>>;
//!
//! async fn watch(request: Request<()>) -> Result<Response<UntilSessionEnd<Events>>, Status> {
//!     let events = tokio_stream::iter(vec![Ok("one".to_owned())]);
//!     Ok(Response::new(UntilSessionEnd::new(events, identity(&request)?)))
//! }
//! # let _ = watch;
//! ```
//!
//! # Open services
//!
//! A layer on the server applies to all services, including health checks and reflection. To leave
//! those open, apply the layer to the other services with tonic's `LayerExt`:
//!
//! ```
//! use better_auth_layer::BetterAuthLayer;
//! use tonic::service::LayerExt as _;
//!
//! # fn add<S, H>(auth: BetterAuthLayer, greeter: S, _health: H) {
//! let greeter = auth.named_layer(greeter);
//! // Server::builder().add_service(health).add_service(greeter)
//! # let _ = greeter;
//! # }
//! ```
//!
//! # gRPC-Web
//!
//! gRPC-Web is a different protocol: without translation, its rejections are HTTP statuses. Put
//! tonic-web's `GrpcWebLayer` outside of the layer to get gRPC statuses.

use std::panic::Location;

use ::tonic::metadata::MetadataMap;
use ::tonic::{Code, GrpcMethod, Request, Status};

use crate::authorize::{Policy, denied};
use crate::identity::Identity;
use crate::rejection::{Rejection, RejectionKind};

/// Returns the identity of a request.
///
/// # Errors
///
/// `UNAUTHENTICATED` for an anonymous request behind an
/// [optional](crate::BetterAuthLayer::optional) layer. `INTERNAL` if the service has no layer; the
/// log then names the calling code and the message type.
#[track_caller]
pub fn identity<T>(request: &Request<T>) -> Result<&Identity, Status> {
    match Identity::from_extensions(request.extensions()) {
        Ok(identity) => Ok(identity),
        Err(rejection) => Err(to_status(rejection, request)),
    }
}

/// Returns the identity of a request, or `None` for an anonymous request behind an
/// [optional](crate::BetterAuthLayer::optional) layer.
///
/// # Errors
///
/// `INTERNAL` if the service has no layer, as for [`identity`].
#[track_caller]
pub fn optional_identity<T>(request: &Request<T>) -> Result<Option<&Identity>, Status> {
    match Identity::from_extensions_opt(request.extensions()) {
        Ok(identity) => Ok(identity),
        Err(rejection) => Err(to_status(rejection, request)),
    }
}

/// Returns the identity of a request if the policy allows it.
///
/// # Errors
///
/// As for [`identity`], and `PERMISSION_DENIED` if the policy does not allow the identity.
#[track_caller]
pub fn authorize<'a, T>(
    request: &'a Request<T>,
    policy: &impl Policy,
) -> Result<&'a Identity, Status> {
    let identity = identity(request)?;
    if policy.allows(identity) {
        Ok(identity)
    } else {
        Err(denied(policy, identity).into())
    }
}

#[track_caller]
fn to_status<T>(rejection: Rejection, request: &Request<T>) -> Status {
    if rejection.kind() == RejectionKind::MissingLayer {
        // tonic's server does not set `GrpcMethod`; only interceptors do. The location and the
        // message type are always known.
        let method = request.extensions().get::<GrpcMethod<'_>>();
        tracing::error!(
            outcome = rejection.kind().as_str(),
            service = method.map(GrpcMethod::service),
            method = method.map(GrpcMethod::method),
            message_type = std::any::type_name::<T>(),
            handler = %Location::caller(),
            "method requires an identity but has no BetterAuthLayer: call `Server::builder().layer(auth)` or add the layer to its service"
        );
    }
    rejection.into()
}

/// The status and metadata that the layer itself sends.
impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let kind = rejection.kind();
        let (head, _) = rejection
            .with_headers(http::Response::default())
            .into_parts();
        Self::with_metadata(
            Code::from(i32::from(kind.grpc_code())),
            kind.message(),
            MetadataMap::from_headers(head.headers),
        )
    }
}

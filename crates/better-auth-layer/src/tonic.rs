//! Helpers for [tonic](https://docs.rs/tonic) (feature `tonic`).
//!
//! The layer is the same as everywhere: `Server::builder().layer(auth)` puts it in front of every service, and refusals are
//! gRPC statuses (`UNAUTHENTICATED`, `PERMISSION_DENIED`, `NOT_FOUND`, `UNAVAILABLE`). Handlers ask for the [`identity`]:
//!
//! ```
//! use better_auth_layer::tonic::{authorize, identity, until_ended};
//! use better_auth_layer::authorize::Role;
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
//! # let _ = (greet, shut_down, until_ended::<tokio_stream::Empty<Result<(), Status>>>);
//! ```
//!
//! # What stays open
//!
//! A layer of the server's is in front of all its services, health checks and reflection included. To leave those open put
//! it around the others alone, with tonic's own `LayerExt`:
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
//! # Browsers
//!
//! gRPC-Web is another protocol, whose refusals are HTTP statuses. Behind `GrpcWebLayer` of tonic-web, which translates it,
//! they are gRPC statuses here, too: put that layer outside.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::tonic::metadata::MetadataMap;
use ::tonic::{Code, GrpcMethod, Request, Status};
use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::authorize::{Policy, denied};
use crate::identity::Identity;
use crate::rejection::{Rejection, RejectionKind};
use crate::stream::{SessionEndReason, SessionEnded};

/// The sender of a request.
///
/// # Errors
///
/// `UNAUTHENTICATED` for nobody, behind a layer that is [optional](crate::BetterAuthLayer::optional); `INTERNAL` where
/// the service is behind no layer, with a line in the log that names the place in the code and the request's message.
#[track_caller]
pub fn identity<T>(request: &Request<T>) -> Result<&Identity, Status> {
    match Identity::from_extensions(request.extensions()) {
        Ok(identity) => Ok(identity),
        Err(rejection) => Err(refused(rejection, request)),
    }
}

/// The sender of a request, `None` for nobody behind a layer that is [optional](crate::BetterAuthLayer::optional).
///
/// # Errors
///
/// `INTERNAL` where the service is behind no layer, as [`identity`].
#[track_caller]
pub fn optional_identity<T>(request: &Request<T>) -> Result<Option<&Identity>, Status> {
    match Identity::from_extensions_opt(request.extensions()) {
        Ok(identity) => Ok(identity),
        Err(rejection) => Err(refused(rejection, request)),
    }
}

/// The sender of a request, if the policy allows it.
///
/// # Errors
///
/// As [`identity`]; `PERMISSION_DENIED` for somebody else.
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
fn refused<T>(rejection: Rejection, request: &Request<T>) -> Status {
    if rejection.kind() == RejectionKind::MissingLayer {
        // A server of tonic's does not tell a handler which method it is. Whoever knows leaves a `GrpcMethod`; where the
        // handler stands and what message it takes is known in any case.
        let method = request.extensions().get::<GrpcMethod<'_>>();
        tracing::error!(
            outcome = rejection.kind().as_str(),
            service = method.map(GrpcMethod::service),
            method = method.map(GrpcMethod::method),
            message_type = std::any::type_name::<T>(),
            handler = %Location::caller(),
            "a method that asks for an identity is not behind a BetterAuthLayer: call `Server::builder().layer(auth)`, or put the layer around its service"
        );
    }
    rejection.into()
}

/// Says what the layer itself would say, in the metadata as well.
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

/// Lets a stream of answers last as long as an identity: when that [ends](Identity::session_ended), so does the stream, with
/// `UNAUTHENTICATED`.
///
/// ```
/// use better_auth_layer::tonic::{UntilSessionEnd, identity, until_ended};
/// use tonic::{Request, Response, Status};
///
/// type Events = tokio_stream::Iter<std::vec::IntoIter<Result<String, Status>>>;
///
/// async fn watch(request: Request<()>) -> Result<Response<UntilSessionEnd<Events>>, Status> {
///     let events = tokio_stream::iter(vec![Ok("one".to_owned())]);
///     Ok(Response::new(until_session_end(events, identity(&request)?)))
/// }
/// # let _ = watch;
/// ```
pub fn until_session_end<S>(stream: S, identity: &Identity) -> UntilSessionEnd<S> {
    UntilSessionEnd {
        stream: Some(stream),
        ended: identity.session_ended(),
    }
}

pin_project! {
    /// The stream that [`until_ended`] makes.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct UntilSessionEnd<S> {
        #[pin]
        stream: Option<S>,
        ended: SessionEnded,
    }
}

impl<S, T> Stream for UntilSessionEnd<S>
where
    S: Stream<Item = Result<T, Status>>,
{
    type Item = Result<T, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(end) = Pin::new(this.ended).poll(cx) {
            this.stream.set(None);
            return Poll::Ready(Some(Err(over(end))));
        }
        stream.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let upper = self.stream.as_ref().map(|stream| stream.size_hint().1);
        // One more for the status at its end.
        let upper = upper.map_or(Some(0), |upper| upper.and_then(|most| most.checked_add(1)));
        (0, upper)
    }
}

fn over(end: SessionEndReason) -> Status {
    Status::unauthenticated(match end {
        SessionEndReason::Expired => "Session expired",
        SessionEndReason::Revoked => "Session revoked",
    })
}

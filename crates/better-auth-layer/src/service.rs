//! [`BetterAuth`]: authenticates a request, then calls the inner service.

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::authenticator::Authenticator;
use crate::body::ResponseBody;
use crate::decide::DecideThenCall;
use crate::future::{Authenticating, Mode, ResponseFuture};
use crate::identity::{Anonymous, Identity, Member};

/// Middleware that authenticates requests and inserts an [`Identity`] into their extensions.
///
/// Created by [`BetterAuthLayer`](crate::BetterAuthLayer). With
/// [`optional`](crate::BetterAuthLayer::optional), requests without a credential are forwarded too.
///
/// Rejections are responses, so the error type is the inner service's. The request body is not
/// touched.
///
/// The inner service must be `Clone`, as in every Tower middleware that waits before it calls the
/// inner service. Wrap other services in a
/// [`Buffer`](https://docs.rs/tower/latest/tower/buffer/index.html); use `BoxCloneService` instead
/// of `BoxService`.
///
/// The capacity that `poll_ready` reserves in the inner service stays reserved during the store
/// lookup. A concurrency limit inside the layer therefore counts requests that are still being
/// authenticated. Put limits outside the layer, where they protect the store as well.
///
/// ```
/// use better_auth_layer::{BetterAuth, BetterAuthLayer};
/// use tower::Layer;
///
/// /// A server that names the type of its service.
/// struct Server<S> {
///     service: BetterAuth<S>,
/// }
///
/// fn server<S>(auth: &BetterAuthLayer, inner: S) -> Server<S> {
///     Server { service: auth.layer(inner) }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct BetterAuth<S> {
    inner: S,
    authenticator: Authenticator,
    mode: Mode,
}

impl<S> BetterAuth<S> {
    pub(crate) fn new(inner: S, authenticator: Authenticator, mode: Mode) -> Self {
        Self {
            inner,
            authenticator,
            mode,
        }
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for BetterAuth<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // `poll_ready` was called on this instance, so this instance must be called. The clone
        // replaces it and may not be ready yet.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);

        let (mut parts, body) = request.into_parts();
        // Only this layer may set these extensions.
        parts.extensions.remove::<Identity>();
        parts.extensions.remove::<Anonymous>();
        parts.extensions.remove::<Member>();
        let authenticate = self.authenticator.authenticate(&parts);
        let decide = Authenticating {
            authenticate,
            authenticator: self.authenticator.clone(),
            mode: self.mode,
        };
        ResponseFuture::new(DecideThenCall::new(decide, ready, parts, body))
    }
}

//! The middleware.

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::authenticator::Authenticator;
use crate::body::ResponseBody;
use crate::future::{Authenticating, Mode, ResponseFuture};
use crate::gate::Gate;
use crate::identity::{Anonymous, Identity, Member};

/// Middleware that lets authenticated requests through, with an [`Identity`] in their extensions; where it is
/// [optional](crate::BetterAuthLayer::optional), also those without a credential.
///
/// Made by [`BetterAuthLayer`](crate::BetterAuthLayer). The inner service's error type stays: a refusal is a response.
/// The request's body is never touched.
///
/// The inner service must be `Clone`, as in every Tower middleware that has to wait before it calls. One that is not
/// fits behind a [`Buffer`](https://docs.rs/tower/latest/tower/buffer/index.html); a boxed one is a `BoxCloneService`.
///
/// The place that `poll_ready` reserves in the inner service is kept while the store is asked. A concurrency limit
/// inside the layer therefore counts requests that are still being authenticated; put limits outside, where they
/// protect the store as well.
///
/// ```
/// use better_auth_layer::{BetterAuth, BetterAuthLayer};
/// use tower::Layer;
///
/// /// A server that has to name the type of its service.
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

    /// The service behind the middleware.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Takes the middleware away.
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
        // The instance that was polled ready must be the one that is called; its clone, which may not be ready, stays.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);

        let (mut parts, body) = request.into_parts();
        // Whatever stands there was not put in by us.
        parts.extensions.remove::<Identity>();
        parts.extensions.remove::<Anonymous>();
        parts.extensions.remove::<Member>();
        let authenticate = self.authenticator.authenticate(&parts);
        let decide = Authenticating {
            authenticate,
            authenticator: self.authenticator.clone(),
            mode: self.mode,
        };
        ResponseFuture::new(Gate::new(decide, ready, parts, body))
    }
}

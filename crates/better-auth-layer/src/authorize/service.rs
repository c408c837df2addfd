//! [`Authorize`]: applies a policy, then calls the inner service.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, request};
use tower_service::Service;

use super::{Policy, ResponseFuture};
use crate::body::ResponseBody;
use crate::identity::{Identity, required};
use crate::rejection::{Rejection, RejectionKind};

/// Middleware that rejects requests that a [`Policy`] does not allow.
///
/// Created by [`AuthorizeLayer`](super::AuthorizeLayer). Rejections are responses, so the error
/// type is the inner service's. The policy is synchronous, so the inner service needs no `Clone`.
pub struct Authorize<S, P> {
    inner: S,
    policy: Arc<P>,
}

impl<S, P> Authorize<S, P> {
    pub(super) fn new(inner: S, policy: Arc<P>) -> Self {
        Self { inner, policy }
    }
}

impl<S, P, ReqBody, ResBody> Service<Request<ReqBody>> for Authorize<S, P>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    P: Policy,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        match permit(&*self.policy, &parts) {
            Ok(_identity) => {
                let request = Request::from_parts(parts, body);
                ResponseFuture::calling(self.inner.call(request))
            }
            Err(rejection) => ResponseFuture::rejected(rejection.to_response(&parts)),
        }
    }
}

/// Returns the identity of a request if the policy allows it.
pub(crate) fn permit<'a, P: Policy>(
    policy: &P,
    parts: &'a request::Parts,
) -> Result<&'a Identity, Rejection> {
    let identity = required(parts)?;
    if policy.allows(identity) {
        return Ok(identity);
    }
    Err(denied(policy, identity))
}

/// Logs and returns the rejection of an identity that the policy does not allow.
pub(crate) fn denied<P: Policy>(_: &P, identity: &Identity) -> Rejection {
    tracing::info!(
        outcome = RejectionKind::PermissionDenied.as_str(),
        policy = std::any::type_name::<P>(),
        user_id = identity.user().id(),
        "request rejected"
    );
    Rejection::new(RejectionKind::PermissionDenied)
}

impl<S: Clone, P> Clone for Authorize<S, P> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            policy: Arc::clone(&self.policy),
        }
    }
}

impl<S: fmt::Debug, P> fmt::Debug for Authorize<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize")
            .field("inner", &self.inner)
            .field("policy", &std::any::type_name::<P>())
            .finish()
    }
}

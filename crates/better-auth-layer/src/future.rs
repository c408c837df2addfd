//! The future of a request on its way through the layer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::authenticator::{Authenticate, Authenticator};
use crate::body::ResponseBody;
use crate::gate::{Decide, Gate};
use crate::identity::Anonymous;
use crate::rejection::RejectionKind;

pin_project! {
    /// Response future of [`BetterAuth`](crate::BetterAuth).
    pub struct ResponseFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        gate: Gate<Authenticating, S, ReqBody>,
    }
}

/// What becomes of a request without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Required,
    Optional,
}

/// The check of a request, and what its verdict leads to.
pub(crate) struct Authenticating {
    pub(crate) authenticate: Authenticate,
    pub(crate) authenticator: Authenticator,
    pub(crate) mode: Mode,
}

impl Decide for Authenticating {
    fn poll_decide(
        &mut self,
        request: &mut request::Parts,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Response<Bytes>>> {
        let verdict = ready!(Pin::new(&mut self.authenticate).poll(cx));
        Poll::Ready(match verdict {
            Ok(identity) => {
                request.extensions.insert(identity);
                Ok(())
            }
            Err(rejection)
                if self.mode == Mode::Optional
                    && rejection.kind() == RejectionKind::MissingCredential =>
            {
                let renderer = self.authenticator.renderer().clone();
                request.extensions.insert(Anonymous { renderer });
                Ok(())
            }
            Err(rejection) => Err(self.authenticator.rejection_response(&rejection, request)),
        })
    }
}

impl<S, ReqBody> ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(crate) fn new(gate: Gate<Authenticating, S, ReqBody>) -> Self {
        Self { gate }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().gate.poll(cx)
    }
}

impl<S, ReqBody> fmt::Debug for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

//! The response future of the layer: inserts the identity or returns the rejection.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::authenticator::{Authenticate, Authenticator};
use crate::body::ResponseBody;
use crate::decide::{Decide, DecideThenCall};
use crate::identity::Anonymous;
use crate::rejection::RejectionKind;

pin_project! {
    /// Response future of [`BetterAuth`](crate::BetterAuth).
    pub struct ResponseFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        inner: DecideThenCall<Authenticating, S, ReqBody>,
    }
}

/// Whether a request without a credential is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Required,
    Optional,
}

/// Authenticates one request, then forwards or rejects it.
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
        let outcome = ready!(Pin::new(&mut self.authenticate).poll(cx));
        Poll::Ready(match outcome {
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
    pub(crate) fn new(inner: DecideThenCall<Authenticating, S, ReqBody>) -> Self {
        Self { inner }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx)
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

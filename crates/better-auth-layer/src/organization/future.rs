//! The response future of [`Membership`](super::Membership).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::decide::{Decide, DecideThenCall};
use crate::identity::Member;
use crate::rejection::Rejection;

pin_project! {
    /// Response future of [`Membership`](super::Membership).
    pub struct MembershipFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        gate: DecideThenCall<Lookup, S, ReqBody>,
    }
}

/// The lookup of a membership and its result.
pub(super) struct Lookup(
    pub(super) Pin<Box<dyn Future<Output = Result<Member, Rejection>> + Send>>,
);

impl Decide for Lookup {
    fn poll_decide(
        &mut self,
        request: &mut request::Parts,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Response<Bytes>>> {
        Poll::Ready(match ready!(self.0.as_mut().poll(cx)) {
            Ok(member) => {
                request.extensions.insert(member);
                Ok(())
            }
            Err(rejection) => Err(rejection.to_response(request)),
        })
    }
}

impl<S, ReqBody> MembershipFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn new(gate: DecideThenCall<Lookup, S, ReqBody>) -> Self {
        Self { gate }
    }
}

impl<S, ReqBody, ResBody> Future for MembershipFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().gate.poll(cx)
    }
}

impl<S, ReqBody> fmt::Debug for MembershipFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MembershipFuture").finish_non_exhaustive()
    }
}

//! The future of a request of a member.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::service::refuse;
use crate::body::ResponseBody;
use crate::identity::Member;
use crate::rejection::Rejection;

/// What the store is asked, and what follows from its answer.
pub(super) type Lookup = Pin<Box<dyn Future<Output = Result<Member, Rejection>> + Send>>;

pin_project! {
    /// Response future of [`Membership`](super::Membership).
    pub struct MembershipFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody, S::Future>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, ReqBody, F> {
        LookingUp {
            lookup: Lookup,
            next: Option<(S, Request<ReqBody>)>,
        },
        Calling {
            #[pin]
            response: F,
        },
    }
}

impl<S, ReqBody> MembershipFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn new(lookup: Lookup, service: S, request: Request<ReqBody>) -> Self {
        Self {
            state: State::LookingUp {
                lookup,
                next: Some((service, request)),
            },
        }
    }
}

impl<S, ReqBody, ResBody> Future for MembershipFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::LookingUp { lookup, next } => {
                    if next.is_none() {
                        return Poll::Pending;
                    }
                    let verdict = ready!(lookup.as_mut().poll(cx));
                    let Some((mut service, request)) = next.take() else {
                        return Poll::Pending;
                    };
                    let (mut parts, body) = request.into_parts();
                    match verdict {
                        Err(rejection) => {
                            let response = refuse(&rejection, &parts);
                            return Poll::Ready(Ok(response.map(ResponseBody::refusal)));
                        }
                        Ok(member) => {
                            parts.extensions.insert(member);
                            let response = service.call(Request::from_parts(parts, body));
                            this.state.set(State::Calling { response });
                        }
                    }
                }
                StateProj::Calling { response } => {
                    let response = ready!(response.poll(cx))?;
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
            }
        }
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

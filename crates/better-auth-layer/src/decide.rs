//! A future that waits for a decision about a request, then calls the inner service or responds.
//!
//! Shared by the layers that wait: authentication and organization membership.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::ResponseBody;

/// Decides whether a request reaches the inner service.
pub(crate) trait Decide {
    /// `Ok` forwards the request with the extensions that this call inserted. `Err` is the
    /// response that rejects it.
    fn poll_decide(
        &mut self,
        request: &mut request::Parts,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Response<Bytes>>>;
}

pin_project! {
    /// Polls the decision, then calls the service or returns the rejection.
    pub(crate) struct DecideThenCall<D, S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<D, S, ReqBody, S::Future>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<D, S, ReqBody, F> {
        // The request is stored next to the decision, so the decision is not generic over the body.
        Deciding {
            decide: D,
            call: Option<(S, request::Parts, ReqBody)>,
        },
        Calling {
            #[pin]
            response: F,
        },
    }
}

impl<D, S, ReqBody> DecideThenCall<D, S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    /// `service` must be ready.
    pub(crate) fn new(decide: D, service: S, parts: request::Parts, body: ReqBody) -> Self {
        Self {
            state: State::Deciding {
                decide,
                call: Some((service, parts, body)),
            },
        }
    }
}

impl<D, S, ReqBody, ResBody> Future for DecideThenCall<D, S, ReqBody>
where
    D: Decide,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Deciding { decide, call } => {
                    let Some((_, parts, _)) = call else {
                        polled_after_completion();
                    };
                    let decision = ready!(decide.poll_decide(parts, cx));
                    // A rejected request drops the service too, which frees its slot in a
                    // concurrency limit.
                    let Some((mut service, parts, body)) = call.take() else {
                        polled_after_completion();
                    };
                    if let Err(rejection) = decision {
                        return Poll::Ready(Ok(rejection.map(ResponseBody::rejection)));
                    }
                    let response = service.call(Request::from_parts(parts, body));
                    this.state.set(State::Calling { response });
                }
                StateProj::Calling { response } => {
                    let response = ready!(response.poll(cx))?;
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
            }
        }
    }
}

/// Fails like an `async fn` that is polled after it has returned.
#[expect(
    clippy::panic,
    reason = "only an executor that violates the contract of `Future` gets here"
)]
pub(crate) fn polled_after_completion() -> ! {
    panic!("future polled after completion")
}

//! A request that waits until it is decided whether it may pass.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response, request};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::ResponseBody;

/// Decides on a request.
pub(crate) trait Decide {
    /// `Ok`: it passes, with what was put into its extensions. `Err`: it is refused with this response.
    fn poll_decide(
        &mut self,
        request: &mut request::Parts,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Response<Bytes>>>;
}

pin_project! {
    /// The future of a request at a gate: it waits for the decision, then calls the service or is refused.
    pub(crate) struct Gate<D, S, ReqBody>
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
        // The request waits beside the decision, so nothing of the latter needs to know its body.
        Deciding {
            decide: D,
            parked: Option<(S, request::Parts, ReqBody)>,
        },
        Calling {
            #[pin]
            response: F,
        },
    }
}

impl<D, S, ReqBody> Gate<D, S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    /// `service` has been polled ready.
    pub(crate) fn new(decide: D, service: S, parts: request::Parts, body: ReqBody) -> Self {
        Self {
            state: State::Deciding {
                decide,
                parked: Some((service, parts, body)),
            },
        }
    }
}

impl<D, S, ReqBody, ResBody> Future for Gate<D, S, ReqBody>
where
    D: Decide,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Deciding { decide, parked } => {
                    // Polled again after it was refused, it stays silent rather than let anybody in.
                    let Some((_, parts, _)) = parked else {
                        return Poll::Pending;
                    };
                    let decision = ready!(decide.poll_decide(parts, cx));
                    // Taken on either way out, so that a refused request gives its place in a limited service back
                    // at once.
                    let Some((mut service, parts, body)) = parked.take() else {
                        return Poll::Pending;
                    };
                    if let Err(refusal) = decision {
                        return Poll::Ready(Ok(refusal.map(ResponseBody::refusal)));
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

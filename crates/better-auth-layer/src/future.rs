//! The future of a request on its way through the layer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::authenticator::{Authenticate, Authenticator};
use crate::body::ResponseBody;
use crate::identity::Anonymous;
use crate::rejection::{Rejection, RejectionKind};

/// What becomes of a request without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Required,
    Optional,
}

/// What the verdict on a request leads to.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) authenticator: Authenticator,
    pub(crate) mode: Mode,
}

impl Gate {
    fn admits(&self, rejection: &Rejection) -> bool {
        self.mode == Mode::Optional && rejection.kind() == RejectionKind::MissingCredential
    }

    fn refuse<B, R>(
        &self,
        rejection: &Rejection,
        request: Request<R>,
    ) -> Response<ResponseBody<B>> {
        let (parts, _body) = request.into_parts();
        let response = self.authenticator.refuse(rejection, &parts);
        response.map(ResponseBody::refusal)
    }
}

pin_project! {
    /// Response future of [`BetterAuth`](crate::BetterAuth).
    pub struct ResponseFuture<S, ReqBody>
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
        // The request waits beside the check, so nothing of the check needs to know its body.
        Authenticating {
            authenticate: Authenticate,
            gate: Gate,
            next: Option<(S, Request<ReqBody>)>,
        },
        Calling {
            #[pin]
            response: F,
        },
    }
}

impl<S, ReqBody> ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(crate) fn new(
        authenticate: Authenticate,
        gate: Gate,
        service: S,
        request: Request<ReqBody>,
    ) -> Self {
        Self {
            state: State::Authenticating {
                authenticate,
                gate,
                next: Some((service, request)),
            },
        }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Authenticating {
                    authenticate,
                    gate,
                    next,
                } => {
                    let result = ready!(Pin::new(authenticate).poll(cx));
                    // Taken on either way out, so that a refused request gives its place in a limited service back
                    // at once.
                    let Some((mut service, mut request)) = next.take() else {
                        return Poll::Pending;
                    };
                    match result {
                        Ok(identity) => {
                            request.extensions_mut().insert(identity);
                        }
                        Err(rejection) if gate.admits(&rejection) => {
                            let renderer = gate.authenticator.renderer().clone();
                            request.extensions_mut().insert(Anonymous { renderer });
                        }
                        Err(rejection) => {
                            return Poll::Ready(Ok(gate.refuse(&rejection, request)));
                        }
                    }
                    let response = service.call(request);
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

impl<S, ReqBody> fmt::Debug for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

//! Responses of the application's own to refused requests.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode, request};

use super::{Rejection, grpc, json};

/// Turns a refusal into the response that the client gets, in place of the JSON of the contract.
///
/// Every `Fn(&Rejection, &request::Parts, Response<Bytes>) -> Response<Bytes>` is one. It sees why the request is refused,
/// the request's head, and the response that would be sent without it, complete with the headers that belong to the
/// refusal; it may change that one or make another. gRPC requests do not come by here: their clients read nothing but a
/// gRPC status.
///
/// Afterwards the layer adds what must not be missing: a `WWW-Authenticate` on every `401` (RFC 9110 §15.5.2), the
/// `Retry-After` of an outage and a `Cache-Control: no-store` where none was set, and the [`RejectionKind`](crate::RejectionKind) in the response's
/// extensions.
///
/// A browser that asks for a page is sent to the sign-in, everybody else gets the JSON:
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, Rejection};
/// use bytes::Bytes;
/// use http::{Response, StatusCode, header, request};
///
/// fn to_sign_in(rejection: &Rejection, request: &request::Parts, suggested: Response<Bytes>) -> Response<Bytes> {
///     let accept = request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
///     if rejection.status() != StatusCode::UNAUTHORIZED || !accept.is_some_and(|accept| accept.contains("text/html")) {
///         return suggested;
///     }
///     let mut response = Response::new(Bytes::new());
///     *response.status_mut() = StatusCode::SEE_OTHER;
///     response.headers_mut().insert(header::LOCATION, header::HeaderValue::from_static("/sign-in"));
///     response
/// }
///
/// let builder = BetterAuthLayer::builder().rejection_renderer(to_sign_in);
/// # let _ = builder;
/// ```
pub trait RenderRejection: Send + Sync + 'static {
    /// Makes the response to a request that is refused.
    fn render(
        &self,
        rejection: &Rejection,
        request: &request::Parts,
        suggested: Response<Bytes>,
    ) -> Response<Bytes>;
}

impl<F> RenderRejection for F
where
    F: Fn(&Rejection, &request::Parts, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
{
    fn render(
        &self,
        rejection: &Rejection,
        request: &request::Parts,
        suggested: Response<Bytes>,
    ) -> Response<Bytes> {
        self(rejection, request, suggested)
    }
}

/// How a layer refuses: as the contract says, or in the application's own way.
#[derive(Clone, Default)]
pub(crate) struct Renderer(Option<Arc<dyn RenderRejection>>);

impl Renderer {
    pub(crate) fn new(render: impl RenderRejection) -> Self {
        Self(Some(Arc::new(render)))
    }

    /// The response to a request with this head: JSON, or a trailers-only gRPC status where the request is gRPC.
    pub(crate) fn respond(
        &self,
        rejection: &Rejection,
        request: &request::Parts,
    ) -> Response<Bytes> {
        let mut response = if grpc::is_grpc(request) {
            rejection.with_headers(grpc::render(rejection))
        } else {
            let suggested = rejection.with_headers(json::render(rejection));
            match &self.0 {
                None => suggested,
                Some(render) => complete(rejection, render.render(rejection, request, suggested)),
            }
        };
        response.extensions_mut().insert(rejection.kind());
        response
    }
}

/// The JSON of the contract, whatever the request was.
#[cfg(feature = "axum")]
pub(crate) fn json_response(rejection: &Rejection) -> Response<Bytes> {
    let mut response = rejection.with_headers(json::render(rejection));
    response.extensions_mut().insert(rejection.kind());
    response
}

/// What a response must have, whoever made it.
fn complete(rejection: &Rejection, mut response: Response<Bytes>) -> Response<Bytes> {
    let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    if is_unauthorized && !headers.contains_key(WWW_AUTHENTICATE) {
        let challenge = rejection.challenge().unwrap_or("Bearer");
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(after) = rejection.retry_after() {
        let seconds = HeaderValue::from(after.as_secs().max(1));
        headers.entry(RETRY_AFTER).or_insert(seconds);
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "Renderer(contract)",
            Some(_) => "Renderer(custom)",
        })
    }
}

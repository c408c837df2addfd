//! [`RenderRejection`]: custom responses for rejected requests.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode, request};

use super::{Rejection, grpc, json};

/// Creates the response to a rejected request, instead of the default JSON response.
///
/// Implemented for every `Fn(&Rejection, &request::Parts, Response<Bytes>) -> Response<Bytes>`. The
/// arguments are the rejection, the head of the request and the default response with its headers.
/// The function returns the default response, changed or not, or another one. It is not called for
/// gRPC requests, because their clients only understand gRPC statuses.
///
/// The layer then adds the headers that are missing: `WWW-Authenticate` on every `401` (RFC 9110
/// §15.5.2), `Retry-After` on a `503`, `Cache-Control: no-store`. It also inserts the
/// [`RejectionKind`](crate::RejectionKind) into the response extensions.
///
/// This renderer redirects browsers to a sign-in page and sends JSON to other clients:
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
    /// Creates the response to a rejected request.
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

/// The renderer of a layer: a custom one or the default JSON.
#[derive(Clone, Default)]
pub(crate) struct Renderer(Option<Arc<dyn RenderRejection>>);

impl Renderer {
    pub(crate) fn new(render: impl RenderRejection) -> Self {
        Self(Some(Arc::new(render)))
    }

    /// Renders JSON, or a trailers-only gRPC status for a gRPC request.
    pub(crate) fn to_response(
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

/// The default JSON response.
#[cfg(feature = "axum")]
pub(crate) fn json_response(rejection: &Rejection) -> Response<Bytes> {
    let mut response = rejection.with_headers(json::render(rejection));
    response.extensions_mut().insert(rejection.kind());
    response
}

/// Adds the headers that every rejection needs to a custom response.
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
            None => "Renderer(json)",
            Some(_) => "Renderer(custom)",
        })
    }
}

//! The service behind the authentication.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

/// The response body.
pub const BODY: &str = r#"{"data":[],"has_more":false}"#;

/// Reads the request body, as a ChatKit server does, and responds.
///
/// # Errors
///
/// If the client disconnects before the body is complete.
pub async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    Ok(response())
}

/// The response, for frameworks that read the request body themselves.
#[must_use]
pub fn response() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

//! What stands behind the authentication.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

/// The answer's body.
pub const BODY: &str = r#"{"data":[],"has_more":false}"#;

/// Reads the request's body, as a ChatKit server must, and answers.
///
/// # Errors
///
/// When the client goes away in the midst of its request.
pub async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    Ok(response())
}

/// The answer by itself, for frameworks that read bodies themselves.
#[must_use]
pub fn response() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

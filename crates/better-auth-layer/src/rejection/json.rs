//! Refusals as JSON.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use super::Rejection;

/// `{"error": "<sentence>", "status": <code>}`, the bytes that clients of the quickstart see.
pub(super) fn render(rejection: &Rejection) -> Response<Bytes> {
    let status = rejection.kind().status();
    // The sentences are ours and hold nothing that JSON would escape; a test parses every one.
    let body = format!(
        r#"{{"error": "{}", "status": {}}}"#,
        rejection.kind().message(),
        status.as_u16()
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

//! The default JSON response.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use super::Rejection;

/// `{"error": "<message>", "status": <code>}`, with exactly this whitespace.
pub(super) fn render(rejection: &Rejection) -> Response<Bytes> {
    let status = rejection.kind().status();
    // The messages contain no characters that JSON escapes; a test parses each one.
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

//! The one response body type of this server.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use serde::Serialize;

/// Any error that crosses a body.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// A whole answer, an event stream or the body of an upstream.
pub(crate) type ServerBody = UnsyncBoxBody<Bytes, BoxError>;

/// An answer of one JSON document.
pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Response<ServerBody> {
    let (status, text) = match serde_json::to_vec(document) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            let text = br#"{"error":"Internal server error","status":500}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, text.to_vec())
        }
    };
    let mut response = Response::new(Full::from(text).map_err(Into::into).boxed_unsync());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

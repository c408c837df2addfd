//! JSON responses and the response body type.

use std::borrow::Cow;
use std::error::Error;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use serde::Serialize;

/// Any error of a body.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A JSON document, an event stream or the body of an upstream response.
pub type BoxBody = UnsyncBoxBody<Bytes, BoxError>;

/// A response with a JSON body.
pub fn json(status: StatusCode, document: &impl Serialize) -> Response<BoxBody> {
    let (status, text) = match serde_json::to_vec(document) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "failed to serialize a response");
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

/// An error response, `{"error":"…","status":N}`.
#[derive(Debug)]
pub struct ErrorResponse {
    status: StatusCode,
    error: Cow<'static, str>,
}

impl ErrorResponse {
    /// `error` is a message for the developer of the client.
    #[must_use]
    pub fn new(status: StatusCode, error: impl Into<Cow<'static, str>>) -> Self {
        let error = error.into();
        Self { status, error }
    }

    /// The HTTP response.
    #[must_use]
    pub fn into_response(self) -> Response<BoxBody> {
        #[derive(Serialize)]
        struct Document<'a> {
            error: &'a str,
            status: u16,
        }
        let document = Document {
            error: &self.error,
            status: self.status.as_u16(),
        };
        json(self.status, &document)
    }
}

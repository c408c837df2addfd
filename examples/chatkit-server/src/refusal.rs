//! A request that is answered with an error.

use std::borrow::Cow;

use http::{Response, StatusCode};
use serde::Serialize;

use crate::body::{ServerBody, json};

/// Why a request gets an error, as `{"error": "...", "status": N}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: Cow<'static, str>,
}

impl Refusal {
    /// `error` is a sentence for the person who wrote the client.
    pub(crate) fn new(status: StatusCode, error: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            error: error.into(),
        }
    }

    pub(crate) fn into_response(self) -> Response<ServerBody> {
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

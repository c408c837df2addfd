//! [`ProblemJson`]: problem details (RFC 9457).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, request};

use super::{Rejection, RenderRejection};

/// Renders rejections as `application/problem+json` (RFC 9457).
///
/// ```
/// use better_auth_layer::BetterAuthLayer;
/// use better_auth_layer::rejection::ProblemJson;
///
/// let builder = BetterAuthLayer::builder().rejection_renderer(ProblemJson::new());
/// # let _ = builder;
/// ```
///
/// A response body:
///
/// ```json
/// {"detail":"No active sessions found for user","status":404,"title":"Not Found","type":"about:blank"}
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "give it to `BetterAuthLayerBuilder::rejection_renderer`"]
pub struct ProblemJson {
    types: Option<String>,
}

impl ProblemJson {
    /// Uses the problem type `about:blank` (RFC 9457 §4.2.1).
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `prefix` followed by the kind as the problem type: with
    /// `https://example.com/problems/`, a type is `https://example.com/problems/user_not_found`.
    pub fn with_types(mut self, prefix: impl Into<String>) -> Self {
        self.types = Some(prefix.into());
        self
    }
}

impl RenderRejection for ProblemJson {
    fn render(
        &self,
        rejection: &Rejection,
        _: &request::Parts,
        suggested: Response<Bytes>,
    ) -> Response<Bytes> {
        let (kind, status) = (rejection.kind(), rejection.status());
        let kind_type = match &self.types {
            None => "about:blank".to_owned(),
            Some(prefix) => format!("{prefix}{}", kind.as_str()),
        };
        let problem = serde_json::json!({
            "type": kind_type,
            "title": status.canonical_reason().unwrap_or("Rejected"),
            "status": status.as_u16(),
            "detail": kind.message(),
        });
        let mut response = suggested.map(|_| Bytes::from(problem.to_string()));
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

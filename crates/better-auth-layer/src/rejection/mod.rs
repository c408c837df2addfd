//! Why a request was refused, and how that is said to the client.

mod grpc;
mod json;
mod kind;
mod problem_json;
mod render;
mod retry_after;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

pub use self::kind::RejectionKind;
pub use self::problem_json::ProblemJson;
pub use self::render::RenderRejection;
pub(crate) use self::render::Renderer;
#[cfg(feature = "axum")]
pub(crate) use self::render::json_response;
pub use self::retry_after::RetryAfter;

/// A request was refused.
///
/// Says no more than its [kind](Self::kind). Why exactly a credential was refused stands in the log.
///
/// The kind is also placed in the extensions of the refusing response, where outer layers find it:
///
/// ```
/// use better_auth_layer::RejectionKind;
///
/// fn count<B>(response: &http::Response<B>) {
///     if let Some(kind) = response.extensions().get::<RejectionKind>() {
///         println!("refused: {}", kind.as_str());
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Rejection {
    kind: RejectionKind,
    credential_sent: bool,
    retry_after: Option<Duration>,
}

impl Rejection {
    pub(crate) fn new(kind: RejectionKind) -> Self {
        Self {
            kind,
            credential_sent: kind != RejectionKind::MissingCredential,
            retry_after: None,
        }
    }

    /// Nobody can tell; the client may come back when the policy says.
    pub(crate) fn unavailable(retry_after: &RetryAfter) -> Self {
        Self {
            retry_after: retry_after.choose(),
            ..Self::new(RejectionKind::Unavailable)
        }
    }

    /// Why, as far as the client may know.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// When trying again may help; whole seconds, in `Retry-After` (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The HTTP status that belongs to the kind.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// A response with the headers that belong to the refusal.
    pub(crate) fn with_headers(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        let headers = response.headers_mut();
        // A refusal depends on the credential; no cache may give it to anybody else.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        response
    }

    /// RFC 9110 §15.5.2 wants a challenge on every 401; RFC 6750 §3.1 wants no error code in it where the request had
    /// no credential at all.
    fn challenge(&self) -> Option<&'static str> {
        if self.status() != StatusCode::UNAUTHORIZED {
            return None;
        }
        Some(if self.credential_sent {
            r#"Bearer error="invalid_token""#
        } else {
            "Bearer"
        })
    }
}

/// For a refusal that the application decides on, in the form of the layer's own; see [`Rejection::to_response`].
impl From<RejectionKind> for Rejection {
    fn from(kind: RejectionKind) -> Self {
        match kind {
            RejectionKind::Unavailable => Self::unavailable(&RetryAfter::default()),
            kind => Self::new(kind),
        }
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.message())
    }
}

impl std::error::Error for Rejection {}

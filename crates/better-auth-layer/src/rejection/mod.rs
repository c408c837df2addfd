//! Rejections and their responses.
//!
//! Each [`RejectionKind`] has one fixed message. The response never contains the reason why a
//! credential is invalid; the log does.

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

/// The rejection of a request.
///
/// It contains only the [kind](Self::kind). The log contains the reason why a credential was
/// rejected.
///
/// The response extensions contain the kind too, for outer layers:
///
/// ```
/// use better_auth_layer::RejectionKind;
///
/// fn count<B>(response: &http::Response<B>) {
///     if let Some(kind) = response.extensions().get::<RejectionKind>() {
///         println!("rejected: {}", kind.as_str());
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

    /// The backend is unavailable, so the credential was neither accepted nor rejected.
    pub(crate) fn unavailable(retry_after: &RetryAfter) -> Self {
        Self {
            retry_after: retry_after.choose(),
            ..Self::new(RejectionKind::Unavailable)
        }
    }

    /// The kind, which is all that the client learns.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The delay in the `Retry-After` header, in whole seconds (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The HTTP status of the [kind](Self::kind).
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// Adds the headers of this rejection to a response.
    pub(crate) fn with_headers(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        let headers = response.headers_mut();
        // The response depends on the credential, so shared caches must not store it.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        response
    }

    /// RFC 9110 §15.5.2 requires a challenge on every 401. RFC 6750 §3.1 omits the error code if
    /// the request has no credential.
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

/// For rejections that the application creates; see [`Rejection::to_response`].
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

//! [`RejectionKind`]: the only table of kinds, statuses and messages.

use http::StatusCode;

/// The kind of a rejection, which is all that the client learns.
///
/// | kind | HTTP | gRPC | `error` |
/// |---|---|---|---|
/// | `MissingCredential` | 401 | 16 | `Invalid or expired JWT token` |
/// | `InvalidCredential` | 401 | 16 | `Invalid or expired JWT token` |
/// | `UserBanned` | 403 | 7 | `User is banned` |
/// | `CrossOrigin` | 403 | 7 | `Cross-origin request refused` |
/// | `PermissionDenied` | 403 | 7 | `Permission denied` |
/// | `UserNotFound` | 404 | 5 | `User not found with provided email` |
/// | `NoActiveSession` | 404 | 5 | `No active sessions found for user` |
/// | `MissingLayer` | 500 | 13 | `Authentication is not set up for this route` |
/// | `Unavailable` | 503 | 14 | `Authentication temporarily unavailable` |
///
/// ```
/// use better_auth_layer::RejectionKind;
///
/// assert_eq!(RejectionKind::UserBanned.status(), 403);
/// assert_eq!(RejectionKind::UserBanned.grpc_code(), 7);
/// assert_eq!(RejectionKind::UserBanned.as_str(), "user_banned");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The request has no credential.
    MissingCredential,
    /// The credential is invalid or expired.
    InvalidCredential,
    /// The user is banned.
    UserBanned,
    /// A page of another origin made the browser send the session cookie.
    CrossOrigin,
    /// The user is authenticated but not authorized: see [`authorize`](crate::authorize).
    PermissionDenied,
    /// The credential is valid, but the user does not exist.
    UserNotFound,
    /// The user has no active session, or the session that the credential names is not active.
    NoActiveSession,
    /// A handler requires an identity, but the request did not pass a layer. This is an error in
    /// the server's code; the log names the route.
    MissingLayer,
    /// The user store or the key source is unavailable, so the credential was neither accepted
    /// nor rejected.
    Unavailable,
}

impl RejectionKind {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MissingCredential | Self::InvalidCredential => StatusCode::UNAUTHORIZED,
            Self::UserBanned | Self::CrossOrigin | Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::UserNotFound | Self::NoActiveSession => StatusCode::NOT_FOUND,
            Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The message that the client reads.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::MissingCredential | Self::InvalidCredential => "Invalid or expired JWT token",
            Self::UserBanned => "User is banned",
            Self::CrossOrigin => "Cross-origin request refused",
            Self::PermissionDenied => "Permission denied",
            Self::UserNotFound => "User not found with provided email",
            Self::NoActiveSession => "No active sessions found for user",
            Self::MissingLayer => "Authentication is not set up for this route",
            Self::Unavailable => "Authentication temporarily unavailable",
        }
    }

    /// The gRPC status code (`google.rpc.Code`).
    #[must_use]
    pub const fn grpc_code(self) -> u8 {
        match self {
            Self::MissingCredential | Self::InvalidCredential => 16,
            Self::UserBanned | Self::CrossOrigin | Self::PermissionDenied => 7,
            Self::UserNotFound | Self::NoActiveSession => 5,
            Self::MissingLayer => 13,
            Self::Unavailable => 14,
        }
    }

    /// The name in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingCredential => "missing_credential",
            Self::InvalidCredential => "invalid_credential",
            Self::UserBanned => "user_banned",
            Self::CrossOrigin => "cross_origin",
            Self::PermissionDenied => "permission_denied",
            Self::UserNotFound => "user_not_found",
            Self::NoActiveSession => "no_active_session",
            Self::MissingLayer => "missing_layer",
            Self::Unavailable => "unavailable",
        }
    }
}

//! What proved an identity.

/// The kinds of credential that prove an [`Identity`](crate::Identity).
///
/// ```
/// use better_auth_layer::{CredentialKind, Identity};
///
/// fn is_up_to_date(identity: &Identity) -> bool {
///     identity.credential() != CredentialKind::CookieCache
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A JWT that the application signed with the deployment's secret (HS256), sent as a bearer token.
    SecretJwt,
    /// A JWT of Better Auth's JWT plugin, signed with a key of its JWKS, sent as a bearer token.
    Jwt,
    /// Better Auth's session cookie, found in the store.
    SessionCookie,
    /// Better Auth's session cookie together with its cookie cache: user and session are a copy that may be as old as
    /// the cache lives (five minutes by default), and the session may have ended since. The store was not asked.
    CookieCache,
    /// A session token with its signature, sent as a bearer token (`set-auth-token` of the bearer plugin).
    SignedSessionToken,
    /// A session token without a signature, sent as a bearer token.
    RawSessionToken,
    /// An API key.
    ApiKey,
}

impl CredentialKind {
    /// The name used in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretJwt => "secret_jwt",
            Self::Jwt => "jwt",
            Self::SessionCookie => "session_cookie",
            Self::CookieCache => "cookie_cache",
            Self::SignedSessionToken => "signed_session_token",
            Self::RawSessionToken => "raw_session_token",
            Self::ApiKey => "api_key",
        }
    }
}

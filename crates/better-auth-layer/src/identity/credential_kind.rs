//! [`CredentialKind`]: how a request was authenticated.

/// The kind of credential that authenticated an [`Identity`](crate::Identity).
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
    /// A JWT of Better Auth's JWT plugin (signed with a JWKS key), sent as a bearer token.
    Jwt,
    /// Better Auth's session cookie, looked up in the store.
    SessionCookie,
    /// Better Auth's session cookie with its cookie cache. The store was not queried: user and
    /// session are a copy up to `maxAge` old (five minutes by default), and the session may have
    /// ended since.
    CookieCache,
    /// A signed session token, sent as a bearer token (`set-auth-token` of the bearer plugin).
    SignedSessionToken,
    /// An unsigned session token, sent as a bearer token.
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

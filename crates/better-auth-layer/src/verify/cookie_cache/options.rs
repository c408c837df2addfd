//! Options of the cookie cache.

/// Accepts Better Auth's `session.cookieCache`, written with one of its strategies.
///
/// A request with a session cookie *and* a valid cache of the same session is then authenticated
/// without a store lookup. Until the cache expires, after five minutes by default, the layer does
/// not notice that the session has ended or that the user was banned or changed. Such an identity
/// has [`CredentialKind::CookieCache`](crate::CredentialKind::CookieCache). A request without a valid
/// cache is authenticated by the store.
///
/// ```
/// use better_auth_layer::CookieCache;
///
/// // session: { cookieCache: { enabled: true, strategy: "jwe", version: "2" } }
/// let cache = CookieCache::jwe().version("2");
/// # let _ = cache;
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to a builder"]
pub struct CookieCache {
    pub(crate) strategy: Strategy,
    pub(crate) version: String,
    pub(crate) name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    Compact,
    Jwt,
    Jwe,
    Jwks,
}

impl CookieCache {
    /// `strategy: "compact"`, Better Auth's default: JSON that contains an HMAC.
    pub fn compact() -> Self {
        Self::new(Strategy::Compact)
    }

    /// `strategy: "jwt"`: a JWS that is signed with the secret.
    pub fn jwt() -> Self {
        Self::new(Strategy::Jwt)
    }

    /// `strategy: "jwe"`: encrypted with a key derived from the secret.
    pub fn jwe() -> Self {
        Self::new(Strategy::Jwe)
    }

    /// `strategy: "jwt"` with `jwt({ sessionCookieCache: true })`: a JWS that is
    /// signed with a key of the JWKS.
    pub fn jwks() -> Self {
        Self::new(Strategy::Jwks)
    }

    fn new(strategy: Strategy) -> Self {
        Self {
            strategy,
            version: "1".to_owned(),
            name: None,
        }
    }

    /// Sets `cookieCache.version`; caches of other versions are ignored. Default: `1`, as in Better
    /// Auth.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the cookie's name without `__Secure-` (`advanced.cookies.session_data.name`). Default: the
    /// prefix of all cookies and `.session_data`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether the cache is signed with a key of the JWKS.
    pub(crate) fn needs_keys(&self) -> bool {
        self.strategy == Strategy::Jwks
    }
}

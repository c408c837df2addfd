//! Which kind of cookie cache a deployment uses.

/// Better Auth's `session.cookieCache`: which of its kinds the deployment writes.
///
/// With it, a request with a session cookie *and* a good cache of the same session is authenticated without asking the
/// store. The price: a session that has ended, a user who was banned or has changed stay what they were for as long as
/// the cache lives, five minutes unless Better Auth was told otherwise. Such an identity says so
/// ([`CredentialKind::CookieCache`](crate::CredentialKind::CookieCache)). A request without a cache, or with one that is
/// no good, is authenticated by the store as ever.
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
    /// `strategy: "compact"`, Better Auth's default: JSON with an HMAC.
    pub fn compact() -> Self {
        Self::new(Strategy::Compact)
    }

    /// `strategy: "jwt"`: a JWS with the secret.
    pub fn jwt() -> Self {
        Self::new(Strategy::Jwt)
    }

    /// `strategy: "jwe"`: encrypted with a key that is derived from the secret.
    pub fn jwe() -> Self {
        Self::new(Strategy::Jwe)
    }

    /// `strategy: "jwt"` with `jwt({ sessionCookieCache: true })`: a JWS with a key of the JWKS.
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

    /// Sets `cookieCache.version`: caches of another one are not used. Default: `1`, as in Better Auth.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the cookie's name, without `__Secure-` (`advanced.cookies.session_data.name`). Default: the prefix of all
    /// cookies and `.session_data`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether it is signed with a key of the JWKS.
    pub(crate) fn needs_keys(&self) -> bool {
        self.strategy == Strategy::Jwks
    }
}

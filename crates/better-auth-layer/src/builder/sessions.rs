//! Settings for session cookies and session tokens.

use std::sync::Arc;

use super::BetterAuthLayerBuilder;
use crate::csrf::TrustedOrigin;
use crate::verify::CookieCache;

impl BetterAuthLayerBuilder {
    /// Accepts neither session cookies nor session tokens. A secret is then for JWTs alone.
    pub fn without_session_tokens(mut self) -> Self {
        self.accept_session_tokens = false;
        self
    }

    /// Sets `advanced.cookiePrefix`. Default: `better-auth`, for the cookie `better-auth.session_token`.
    pub fn cookie_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie_prefix = prefix.into();
        self
    }

    /// Sets the session cookie's name, without `__Secure-` (`advanced.cookies.session_token.name`).
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // advanced: { cookies: { session_token: { name: "sid" } } }
    /// let builder = BetterAuthLayer::builder().session_cookie_name("sid");
    /// # let _ = builder;
    /// ```
    pub fn session_cookie_name(mut self, name: impl Into<String>) -> Self {
        self.session_cookie_name = Some(name.into());
        self
    }

    /// Sets whether the cookies' names begin with `__Secure-` (`advanced.useSecureCookies`). Default: whether
    /// [`base_url`](Self::base_url) is `https`. Without a base URL both names are accepted, the one with the prefix first;
    /// set it then, since a cookie without the prefix can be planted from the network.
    pub fn secure_cookies(mut self, secure: bool) -> Self {
        self.secure_cookies = Some(secure);
        self
    }

    /// Also believes the deployment's cookie cache. Off by default: see [`CookieCache`] for the price.
    pub fn cookie_cache(mut self, cache: CookieCache) -> Self {
        self.cookie_cache = Some(cache);
        self
    }

    /// Trusts pages of an origin, or of all origins of a pattern, to send the session cookie with requests that change
    /// something. Spelled as in Better Auth's `trustedOrigins`; see [`TrustedOrigin`](crate::csrf::TrustedOrigin). The origin of
    /// [`base_url`](Self::base_url) is trusted anyway.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// let builder = BetterAuthLayer::builder()
    ///     .base_url("https://app.example.com")
    ///     .trusted_origin("https://*.example.com");
    /// # let _ = builder;
    /// ```
    pub fn trusted_origin(mut self, pattern: impl AsRef<str>) -> Self {
        self.trusted_origins.push(pattern.as_ref().parse());
        self
    }

    /// As [`trusted_origin`](Self::trusted_origin), for a pattern that was read already.
    pub(crate) fn trust(mut self, origin: TrustedOrigin) -> Self {
        self.trusted_origins.push(Ok(origin));
        self
    }

    /// Refuses requests that change something and come with the session cookie, but with neither `Origin` nor
    /// `Sec-Fetch-Site`, as Better Auth's own endpoints do. By default they pass: they are no browser's, but those of
    /// servers that forward a user's cookies.
    pub fn require_origin(mut self) -> Self {
        self.require_origin = true;
        self
    }

    /// Sets which texts have the form of a session token. Default: Better Auth's own, 32 letters and digits. For
    /// applications that make others in a database hook; whatever is accepted here reaches the store, visible ASCII
    /// without a dot in any case.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// let is_hex = |token: &str| token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    /// let builder = BetterAuthLayer::builder().session_token_validator(is_hex);
    /// # let _ = builder;
    /// ```
    pub fn session_token_validator(
        mut self,
        form: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.session_token_validator = Arc::new(form);
        self
    }

    /// Also accepts session tokens without a signature as bearer tokens, as Better Auth's bearer plugin does unless
    /// `requireSignature` is set. Off by default: whoever can read the `session` table, a backup of it, or a key of the
    /// secondary storage can then sign in as anybody in it.
    pub fn accept_raw_session_tokens(mut self) -> Self {
        self.accept_raw_session_tokens = true;
        self
    }
}

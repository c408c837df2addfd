//! Session cookies, session tokens and the origins that may send cookies.

use std::sync::Arc;

use super::BetterAuthLayerBuilder;
use crate::base_url::BaseUrl;
use crate::config_error::ConfigError;
use crate::credential::CookieNames;
use crate::csrf::{OriginGuard, TrustedOrigin};
use crate::verify::{CookieCache, TokenValidator, has_default_form};

pub(super) struct SessionOptions {
    pub(super) accept_signed: bool,
    pub(super) accept_raw: bool,
    pub(super) token_validator: TokenValidator,
    cookie_prefix: String,
    cookie_name: Option<String>,
    secure_cookies: Option<bool>,
    pub(super) cookie_cache: Option<CookieCache>,
    trusted_origins: Vec<Result<TrustedOrigin, ConfigError>>,
    require_origin: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            accept_signed: true,
            accept_raw: false,
            token_validator: Arc::new(has_default_form),
            cookie_prefix: "better-auth".to_owned(),
            cookie_name: None,
            secure_cookies: None,
            cookie_cache: None,
            trusted_origins: Vec::new(),
            require_origin: false,
        }
    }
}

impl SessionOptions {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let name = self.cookie_name();
        let is_token = |byte: u8| byte.is_ascii_graphic() && !b"=;,\"".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(ConfigError::new(
                "session_cookie_name",
                "is not a cookie name",
                "write the name that the browser shows, without `__Secure-`",
            ));
        }
        Ok(())
    }

    fn cookie_name(&self) -> String {
        let name = self.cookie_name.clone();
        name.unwrap_or_else(|| format!("{}.session_token", self.cookie_prefix))
    }

    pub(super) fn cookie_names(&self, base_url: Option<&BaseUrl>) -> CookieNames {
        CookieNames::new(&self.cookie_name(), self.is_secure(base_url))
    }

    pub(super) fn cookie_cache_names(&self, base_url: Option<&BaseUrl>) -> Option<CookieNames> {
        let name = self.cookie_cache.as_ref()?.name.clone();
        let name = name.unwrap_or_else(|| format!("{}.session_data", self.cookie_prefix));
        Some(CookieNames::new(&name, self.is_secure(base_url)))
    }

    fn is_secure(&self, base_url: Option<&BaseUrl>) -> Option<bool> {
        self.secure_cookies.or(base_url.map(BaseUrl::is_https))
    }

    pub(super) fn origin_guard(
        &self,
        base_url: Option<&BaseUrl>,
    ) -> Result<OriginGuard, ConfigError> {
        let trusted = self.trusted_origins.iter().cloned();
        let mut trusted = trusted.collect::<Result<Vec<_>, _>>()?;
        trusted.extend(base_url.map(|url| TrustedOrigin::exactly(url.origin())));
        Ok(OriginGuard {
            trusted,
            require_origin: self.require_origin,
        })
    }
}

impl BetterAuthLayerBuilder {
    /// Rejects session cookies and session tokens. A secret then verifies JWTs only.
    pub fn without_session_tokens(mut self) -> Self {
        self.sessions.accept_signed = false;
        self
    }

    /// Sets `advanced.cookiePrefix`. Default: `better-auth`, for the cookie
    /// `better-auth.session_token`.
    pub fn cookie_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.sessions.cookie_prefix = prefix.into();
        self
    }

    /// Sets the name of the session cookie without `__Secure-`
    /// (`advanced.cookies.session_token.name`).
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // advanced: { cookies: { session_token: { name: "sid" } } }
    /// let builder = BetterAuthLayer::builder().session_cookie_name("sid");
    /// # let _ = builder;
    /// ```
    pub fn session_cookie_name(mut self, name: impl Into<String>) -> Self {
        self.sessions.cookie_name = Some(name.into());
        self
    }

    /// Sets whether cookie names have the prefix `__Secure-` (`advanced.useSecureCookies`). Default:
    /// whether [`base_url`](Self::base_url) is `https`.
    ///
    /// Without a base URL, both names are accepted, the one with the prefix first. Set this option
    /// in that case, because an attacker on the network can set a cookie without the prefix.
    pub fn secure_cookies(mut self, secure: bool) -> Self {
        self.sessions.secure_cookies = Some(secure);
        self
    }

    /// Also accepts the cookie cache of the deployment. Off by default: see [`CookieCache`] for the
    /// disadvantages.
    pub fn cookie_cache(mut self, cache: CookieCache) -> Self {
        self.sessions.cookie_cache = Some(cache);
        self
    }

    /// Trusts pages of an origin, or of all origins that match a pattern, to send the session cookie
    /// with requests that change state. The syntax is that of Better Auth's `trustedOrigins`; see
    /// [`TrustedOrigin`](crate::csrf::TrustedOrigin). The origin of [`base_url`](Self::base_url) is
    /// always trusted.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// let builder = BetterAuthLayer::builder()
    ///     .base_url("https://app.example.com")
    ///     .trusted_origin("https://*.example.com");
    /// # let _ = builder;
    /// ```
    pub fn trusted_origin(mut self, pattern: impl Into<String>) -> Self {
        self.sessions.trusted_origins.push(pattern.into().parse());
        self
    }

    pub(crate) fn parsed_trusted_origin(mut self, origin: TrustedOrigin) -> Self {
        self.sessions.trusted_origins.push(Ok(origin));
        self
    }

    /// Rejects requests that change state and have the session cookie, but neither `Origin` nor
    /// `Sec-Fetch-Site`, as Better Auth's endpoints do. By default they are accepted, because
    /// browsers send one of these headers; servers that forward a user's cookies send none.
    pub fn require_origin(mut self) -> Self {
        self.sessions.require_origin = true;
        self
    }

    /// Sets the validator for the form of session tokens. Default: 32 letters and digits, as Better
    /// Auth generates them.
    ///
    /// Use it if a database hook generates other tokens. Accepted tokens are looked up in the store.
    /// Tokens with a dot, or with characters other than visible ASCII, are always rejected.
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
        validator: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.sessions.token_validator = Arc::new(validator);
        self
    }

    /// Also accepts session tokens without a signature as bearer tokens, as Better Auth's bearer
    /// plugin does unless `requireSignature` is set. Off by default: with read access to the
    /// `session` table, to a backup of it or to the secondary storage, an attacker can then
    /// impersonate every user with a session.
    pub fn accept_raw_session_tokens(mut self) -> Self {
        self.sessions.accept_raw = true;
        self
    }
}

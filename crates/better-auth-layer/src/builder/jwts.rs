//! JWTs: claims, public keys and the cache of verified tokens.

use std::sync::Arc;
use std::time::Duration;

use super::BetterAuthLayerBuilder;
use crate::base_url::BaseUrl;
use crate::config_error::ConfigError;
use crate::jwks::{DynKeySource, JwksOptions, KeySource};
use crate::verify::{JwksJwtPolicy, RegisteredClaims, SecretJwtPolicy};

/// A larger leeway would weaken `exp`.
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Claims with another meaning, which cannot contain the id of a session.
const RESERVED_CLAIMS: [&str; 15] = [
    "exp",
    "nbf",
    "iat",
    "iss",
    "aud",
    "sub",
    "email",
    "updateTo",
    "requestType",
    "session",
    "azp",
    "client_id",
    "events",
    "nonce",
    "at_hash",
];

pub(super) struct JwtOptions {
    pub(super) issuer: Option<String>,
    pub(super) jwks_issuer: Option<String>,
    audiences: Vec<String>,
    keys: Option<KeyOptions>,
    pub(super) jwks: JwksOptions,
    pub(super) accept_secret_signed: bool,
    require_audience: bool,
    require_binding: bool,
    pub(super) require_matching_subject: bool,
    session_id_claim: String,
    pub(super) leeway: Duration,
    pub(super) cache_capacity: usize,
}

#[derive(Clone)]
enum KeyOptions {
    Url(String),
    Source(Arc<dyn DynKeySource>),
}

impl Default for JwtOptions {
    fn default() -> Self {
        Self {
            issuer: None,
            jwks_issuer: None,
            audiences: Vec::new(),
            keys: None,
            jwks: JwksOptions::new(),
            accept_secret_signed: true,
            require_audience: false,
            require_binding: true,
            require_matching_subject: false,
            session_id_claim: "sid".to_owned(),
            leeway: Duration::ZERO,
            // A few megabytes with typical claims.
            cache_capacity: 10_000,
        }
    }
}

impl JwtOptions {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.jwks.check()?;
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::new(
                "leeway",
                format!("is {} s", self.leeway.as_secs()),
                "use at most 300 s and synchronize the clocks",
            ));
        }
        for (setting, values) in [
            ("issuer", self.issuer.as_slice()),
            ("jwks_issuer", self.jwks_issuer.as_slice()),
            ("audience", &self.audiences),
        ] {
            if values.iter().any(String::is_empty) {
                return Err(ConfigError::new(
                    setting,
                    "is empty",
                    "leave it out or write the value of the tokens",
                ));
            }
        }
        if self.require_audience && self.audiences.is_empty() && self.issuer.is_none() {
            return Err(ConfigError::conflict(
                "require_audience",
                "is set, but no audience is",
                "add `audience` with the value that names this service",
            ));
        }
        let claim = self.session_id_claim.as_str();
        if claim.is_empty() || RESERVED_CLAIMS.contains(&claim) {
            return Err(ConfigError::new(
                "session_id_claim",
                format!("is `{claim}`, which cannot contain the id of a session"),
                "use `sid` or another custom claim",
            ));
        }
        Ok(())
    }

    /// The configured key source, or that of the base URL.
    pub(super) fn key_source(
        &self,
        base_url: Option<&BaseUrl>,
    ) -> Result<Option<Arc<dyn DynKeySource>>, ConfigError> {
        let source = match (&self.keys, base_url) {
            (Some(KeyOptions::Source(source)), _) => Arc::clone(source),
            (Some(KeyOptions::Url(url)), _) => remote(url, "jwks_url")?,
            (None, Some(base_url)) => remote(&base_url.jwks_url(), "base_url")?,
            (None, None) => return Ok(None),
        };
        Ok(Some(source))
    }

    pub(super) fn secret_policy(&self) -> SecretJwtPolicy {
        SecretJwtPolicy {
            registered: RegisteredClaims {
                issuer: self.issuer.clone(),
                audiences: self.audiences.clone(),
                require_audience: self.require_audience,
                leeway: self.leeway,
            },
            session_id_claim: self.session_id_claim.clone(),
            require_binding: self.require_binding,
        }
    }

    pub(super) fn jwks_policy(
        &self,
        base_url: Option<&BaseUrl>,
    ) -> Result<JwksJwtPolicy, ConfigError> {
        let Some(issuer) = self.effective_jwks_issuer(base_url) else {
            return Err(ConfigError::missing(
                "base_url",
                "set it to the base URL of the Better Auth deployment (BETTER_AUTH_URL), because the issuer and the audience of its tokens follow from it",
            ));
        };
        let audiences = if self.audiences.is_empty() {
            vec![base_url.map_or(issuer, BaseUrl::origin).to_owned()]
        } else {
            self.audiences.clone()
        };
        Ok(JwksJwtPolicy {
            registered: RegisteredClaims {
                issuer: Some(issuer.to_owned()),
                audiences,
                require_audience: true,
                leeway: self.leeway,
            },
            session_id_claim: self.session_id_claim.clone(),
        })
    }

    fn effective_jwks_issuer<'a>(&'a self, base_url: Option<&'a BaseUrl>) -> Option<&'a str> {
        let issuer = self.jwks_issuer.as_deref();
        issuer
            .or(base_url.map(BaseUrl::origin))
            .or(self.issuer.as_deref())
    }

    /// The issuer in cookie caches: Better Auth writes its origin, even if `jwt.issuer` is set.
    pub(super) fn cookie_cache_issuer(&self, base_url: Option<&BaseUrl>) -> Option<String> {
        let origin = base_url.map(BaseUrl::origin);
        let issuer = origin.or_else(|| self.effective_jwks_issuer(None));
        issuer.map(str::to_owned)
    }
}

/// `setting` is the setting that the URL follows from.
#[cfg(feature = "jwks-http")]
fn remote(url: &str, setting: &'static str) -> Result<Arc<dyn DynKeySource>, ConfigError> {
    match crate::jwks::RemoteKeySource::new(url) {
        Ok(source) => Ok(Arc::new(source)),
        Err(error) => Err(error.with_setting(setting)),
    }
}

#[cfg(not(feature = "jwks-http"))]
fn remote(_: &str, setting: &'static str) -> Result<Arc<dyn DynKeySource>, ConfigError> {
    Err(ConfigError::feature_disabled(setting, "jwks-http"))
}

impl BetterAuthLayerBuilder {
    /// Requires this `iss` in secret-signed JWTs (`BETTER_AUTH_ISSUER`). Without it, any issuer or
    /// none is accepted, and building the layer logs a warning: only the secret then distinguishes
    /// the tokens of this deployment from those of others.
    ///
    /// Without a [`base_url`](Self::base_url), it is also the issuer of JWTs that are signed with a
    /// public key.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.jwts.issuer = Some(issuer.into());
        self
    }

    /// Requires this `iss` in JWTs that are signed with a public key. Needed only if Better Auth's
    /// option `jwt.issuer` is set. Default: the origin of [`base_url`](Self::base_url).
    pub fn jwks_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.jwts.jwks_issuer = Some(issuer.into());
        self
    }

    /// Adds an accepted value of `aud` (`BETTER_AUTH_AUDIENCE`). Default: the issuer or, for JWTs
    /// that are signed with a public key, the origin of [`base_url`](Self::base_url).
    ///
    /// A token with audiences must contain one of these values (RFC 7519 §4.1.3). JWTs that are
    /// signed with a public key must have an audience, because tokens for other purposes have the
    /// same keys and issuer. Secret-signed JWTs without audience are accepted unless
    /// [`require_audience`](Self::require_audience) is set.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // jwt({ jwt: { audience: "https://api.example.com" } })
    /// let builder = BetterAuthLayer::builder()
    ///     .base_url("https://app.example.com")
    ///     .audience("https://api.example.com");
    /// # let _ = builder;
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.jwts.audiences.push(audience.into());
        self
    }

    /// Fetches the public keys from this URL. Default: the URL that follows from
    /// [`base_url`](Self::base_url). Requires the feature `jwks-http`.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwts.keys = Some(KeyOptions::Url(url.into()));
        self
    }

    /// Sets the source of the public keys: a [`KeySet`](crate::jwks::KeySet) that never changes, the
    /// `jwks` table of the database (`PostgresStore::key_source`, `SqliteStore::key_source`), or a
    /// `RemoteKeySource` with custom root certificates.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::jwks::{KeySet, KeySourceError};
    ///
    /// fn with_static_keys(jwks_json: &str) -> Result<(), KeySourceError> {
    ///     let keys: KeySet = jwks_json.parse()?;
    ///     let builder = BetterAuthLayer::builder().base_url("https://app.example.com").key_source(keys);
    ///     # let _ = builder;
    ///     Ok(())
    /// }
    /// ```
    pub fn key_source(mut self, source: impl KeySource) -> Self {
        self.jwts.keys = Some(KeyOptions::Source(Arc::new(source)));
        self
    }

    /// Sets how long public keys are cached.
    pub fn jwks_options(mut self, options: JwksOptions) -> Self {
        self.jwts.jwks = options;
        self
    }

    /// Sets the capacity of the cache of verified JWTs. A cache hit costs a hash instead of a
    /// signature verification. Default: 10,000 tokens of about 300 bytes plus their claims; a token
    /// with more than 1 KiB of claims counts as several. Zero disables the cache.
    ///
    /// The cache does not change any result: expired tokens, and tokens whose key has left the key
    /// set, are rejected. Users and sessions are [looked up](Self::store) for every request.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // For a device with little memory.
    /// let builder = BetterAuthLayer::builder().jwt_cache_capacity(100);
    /// # let _ = builder;
    /// ```
    pub fn jwt_cache_capacity(mut self, max_entries: usize) -> Self {
        self.jwts.cache_capacity = max_entries;
        self
    }

    /// Rejects secret-signed JWTs. Use it if the deployment does not create such tokens, so that
    /// they cannot be forged either.
    pub fn without_secret_jwts(mut self) -> Self {
        self.jwts.accept_secret_signed = false;
        self
    }

    /// Rejects secret-signed JWTs without `aud`.
    pub fn require_audience(mut self) -> Self {
        self.jwts.require_audience = true;
        self
    }

    /// Rejects secret-signed JWTs without `sub`, or with a `sub` that is not the id of the user with
    /// the token's email.
    ///
    /// Off by default: only the email identifies the user, and a mismatch is logged. With this
    /// option, a token becomes invalid when its email moves to another account.
    pub fn require_matching_subject(mut self) -> Self {
        self.jwts.require_matching_subject = true;
        self
    }

    /// Sets the claim with the id of the token's session. Default: `sid`.
    ///
    /// A token with the claim is valid only for that session. A token without it gets the user's
    /// [preferred](crate::Session::preferred) session.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // jwt({ jwt: { definePayload: ({ session }) => ({ session_id: session.id }) } })
    /// let builder = BetterAuthLayer::builder().session_id_claim("session_id");
    /// # let _ = builder;
    /// ```
    pub fn session_id_claim(mut self, claim: impl Into<String>) -> Self {
        self.jwts.session_id_claim = claim.into();
        self
    }

    /// Sets the tolerated clock difference for `exp` and `nbf`. Default: zero, as in Better Auth; at
    /// most 300 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.jwts.leeway = leeway;
        self
    }

    /// Accepts secret-signed JWTs that look like Better Auth's email verification tokens: those
    /// without header `typ` and without the claims `sub`, `iss` and `aud`.
    ///
    /// Every verification link that Better Auth has sent can then be used to sign in as its
    /// recipient.
    pub fn dangerous_accept_unbound_tokens(mut self) -> Self {
        self.jwts.require_binding = false;
        self
    }
}

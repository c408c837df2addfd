//! Validates the options and creates the layer.

use std::sync::Arc;

use super::BetterAuthLayerBuilder;
use crate::authenticator::{Authenticator, Diagnostics, Inner, Validator};
use crate::base_url::BaseUrl;
use crate::config_error::ConfigError;
use crate::credential::Sources;
use crate::diagnostics::Check;
use crate::jwks::KeyCache;
use crate::layer::BetterAuthLayer;
use crate::secret::{Secret, SecretRing};
use crate::store::{DynUserStore, LookupKind, SingleFlight};
use crate::verify::{
    CookieCacheVerifier, JwksJwtVerifier, JwtVerifier, SecretJwtVerifier, SessionTokenVerifier,
    Verifier,
};

impl BetterAuthLayerBuilder {
    pub(super) fn assemble(self) -> Result<BetterAuthLayer, ConfigError> {
        self.check_limits()?;
        self.jwts.check()?;
        self.sessions.check()?;
        let sources = self
            .sources
            .resolve(self.api_keys.is_some(), self.session_secrets().is_some())?;
        let base_url = self.base_url.clone().transpose()?;
        let base_url = base_url.as_ref();
        let keys = self.key_cache(base_url)?;
        if self.secrets.is_none() && keys.is_none() && self.api_keys.is_none() {
            return Err(ConfigError::missing(
                "secret",
                "set the secret of Better Auth (BETTER_AUTH_SECRET), its URL with `base_url` (BETTER_AUTH_URL), or both",
            ));
        }
        let lookups = self.required_lookups(keys.is_some());
        let store = self.single_flight_store(&lookups)?;
        let verifier = self.verifier(base_url, keys.as_ref())?;
        let api_keys = self.api_keys.as_ref();
        let inner = Inner {
            sources: Sources {
                sources,
                api_key_headers: match api_keys {
                    Some(keys) => keys.headers()?,
                    None => Vec::new(),
                },
                session_cookie: self
                    .session_secrets()
                    .map(|_| self.sessions.cookie_names(base_url)),
                cookie_cache: self.sessions.cookie_cache_names(base_url),
            },
            guard: self.sessions.origin_guard(base_url)?,
            verifier,
            validator: Validator {
                api_key_configurations: api_keys
                    .map(|keys| keys.configurations())
                    .unwrap_or_default(),
                require_matching_subject: self.jwts.require_matching_subject,
                require_verified_email: self.require_verified_email,
                retry_after: self.retry_after.clone(),
            },
            diagnostics: Diagnostics {
                config: self.config_checks(),
                lookups,
                keys,
            },
            store,
            lookup_timeout: self.lookup_timeout,
            clock: self.clock,
            renderer: self.renderer,
            recheck_interval: self.recheck_interval,
        };
        Ok(BetterAuthLayer::new(Authenticator::new(inner)))
    }

    /// The secrets that verify session cookies and tokens.
    fn session_secrets(&self) -> Option<&SecretRing> {
        self.secrets
            .as_ref()
            .filter(|_| self.sessions.accept_signed)
    }

    /// The secrets that verify JWTs.
    fn jwt_secrets(&self) -> Option<&SecretRing> {
        let secrets = self.secrets.as_ref();
        secrets.filter(|_| self.jwts.accept_secret_signed)
    }

    fn key_cache(&self, base_url: Option<&BaseUrl>) -> Result<Option<Arc<KeyCache>>, ConfigError> {
        let source = self.jwts.key_source(base_url)?;
        Ok(source.map(|source| {
            let options = self.jwts.jwks.clone();
            Arc::new(KeyCache::new(source, options, Arc::clone(&self.clock)))
        }))
    }

    /// The lookups that the accepted credentials need.
    fn required_lookups(&self, has_keys: bool) -> Vec<LookupKind> {
        let accepts_tokens = self.session_secrets().is_some() || self.sessions.accept_raw;
        [
            (self.jwt_secrets().is_some(), LookupKind::Email),
            (has_keys, LookupKind::UserId),
            (accepts_tokens, LookupKind::SessionToken),
            (self.api_keys.is_some(), LookupKind::ApiKey),
        ]
        .into_iter()
        .filter_map(|(is_required, kind)| is_required.then_some(kind))
        .collect()
    }

    fn single_flight_store(
        &self,
        lookups: &[LookupKind],
    ) -> Result<Arc<dyn DynUserStore>, ConfigError> {
        let Some(store) = &self.store else {
            return Err(ConfigError::missing(
                "store",
                "set a `UserStore`, such as `PostgresStore`, `SqliteStore` or, in tests, `MemoryStore`",
            ));
        };
        if let Some(kind) = lookups.iter().find(|kind| !store.supports(**kind)) {
            return Err(ConfigError::conflict(
                "store",
                format!("does not support lookups {kind}"),
                "use a store that supports them, or do not accept the credential that needs them (`without_secret_jwts`, `without_session_tokens`)",
            ));
        }
        Ok(SingleFlight::around(Arc::clone(store), self.lookup_timeout))
    }

    fn verifier(
        &self,
        base_url: Option<&BaseUrl>,
        keys: Option<&Arc<KeyCache>>,
    ) -> Result<Verifier, ConfigError> {
        let with_previous = self.accept_previous_secrets;
        let validator = &self.sessions.token_validator;
        let secret_jwts = self.jwt_secrets().map(|secrets| {
            SecretJwtVerifier::new(secrets, with_previous, self.jwts.secret_policy())
        });
        let jwks_jwts = match keys {
            Some(keys) => Some(JwksJwtVerifier {
                keys: Arc::clone(keys),
                policy: self.jwts.jwks_policy(base_url)?,
            }),
            None => None,
        };
        Ok(Verifier {
            jwts: JwtVerifier::new(secret_jwts, jwks_jwts, self.jwts.cache_capacity),
            session_tokens: self.session_secrets().map(|secrets| {
                SessionTokenVerifier::new(secrets, with_previous, Arc::clone(validator))
            }),
            cookie_cache: self.cookie_cache_verifier(base_url, keys)?,
            raw_session_tokens: self.sessions.accept_raw.then(|| Arc::clone(validator)),
            has_secret: self.secrets.is_some(),
        })
    }

    fn cookie_cache_verifier(
        &self,
        base_url: Option<&BaseUrl>,
        keys: Option<&Arc<KeyCache>>,
    ) -> Result<Option<CookieCacheVerifier>, ConfigError> {
        let Some(cache) = &self.sessions.cookie_cache else {
            return Ok(None);
        };
        let Some(secrets) = self.session_secrets() else {
            return Err(ConfigError::conflict(
                "cookie_cache",
                "is set, but session cookies are not accepted",
                "set the secret, because a cookie cache is valid only with a session cookie",
            ));
        };
        if cache.needs_keys() && keys.is_none() {
            return Err(ConfigError::conflict(
                "cookie_cache",
                "is signed with a public key, but there is no key source",
                "set `base_url` or `key_source`",
            ));
        }
        Ok(Some(CookieCacheVerifier::new(
            cache.clone(),
            secrets,
            self.accept_previous_secrets,
            keys.cloned(),
            self.jwts.cookie_cache_issuer(base_url),
        )))
    }

    /// Checks the strength of the configuration and logs the warnings.
    fn config_checks(&self) -> Vec<Check> {
        let Some(secrets) = &self.secrets else {
            return Vec::new();
        };
        let mut accepted = secrets.accepted(self.accept_previous_secrets);
        let mut checks = vec![if accepted.any(Secret::is_shorter_than_recommended) {
            Check::warning(
                "secret",
                "the secret has fewer than 32 bytes, so brute force can find it from one token",
            )
            .with_remedy("generate a longer one, such as with `openssl rand -base64 32`")
        } else {
            Check::ok(
                "secret",
                "has at least 32 bytes and is not the public default",
            )
        }];
        if self.jwt_secrets().is_some() {
            checks.push(if self.jwts.issuer.is_some() {
                Check::ok("issuer", "is required in secret-signed tokens")
            } else {
                Check::warning("issuer", "secret-signed tokens of every issuer are accepted")
                    .with_remedy("set BETTER_AUTH_ISSUER or the builder's `issuer` and create tokens with `iss`, or use `without_secret_jwts` if there are no such tokens")
            });
        }
        for check in &checks {
            if let Some(remedy) = check.remedy() {
                tracing::warn!("{}; {remedy}", check.message());
            }
        }
        checks
    }
}

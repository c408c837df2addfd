//! From settings to a layer.

use std::sync::Arc;

use super::BetterAuthLayerBuilder;
use crate::authenticator::{Authenticator, Diagnostics, Inner, Validator};
use crate::base_url::BaseUrl;
use crate::config_error::ConfigError;
use crate::credential::{CookieNames, CredentialSource, Sources};
use crate::csrf::{OriginGuard, TrustedOrigin};
use crate::jwks::{DynKeySource, KeyCache, RemoteKeySource};
use crate::layer::BetterAuthLayer;
use crate::store::{DynUserStore, LookupKind, SingleFlight};
use crate::verify::{
    CookieCacheVerifier, JwksJwtPolicy, JwksJwtVerifier, JwtVerifier, RegisteredClaims,
    SecretJwtPolicy, SecretJwtVerifier, SessionTokenVerifier, Verifier,
};

impl BetterAuthLayerBuilder {
    pub(super) fn assemble(mut self) -> Result<BetterAuthLayer, ConfigError> {
        self.check_limits()?;
        self.check_texts()?;
        self.check_sources()?;
        self.jwks_options.check()?;
        let base_url = self.base_url.take().transpose()?;
        let key_source = self.take_key_source(base_url.as_ref())?;
        if self.secrets.is_none() && key_source.is_none() && self.api_keys.is_none() {
            return Err(ConfigError::new(
                "secret",
                "is not set",
                "give the builder the secret that Better Auth signs with (BETTER_AUTH_SECRET), its address with `base_url` (BETTER_AUTH_URL), or both",
            ));
        }
        let store = SingleFlight::around(self.take_store()?, self.lookup_timeout);
        let keys = key_source.map(|source| {
            let options = self.jwks_options.clone();
            Arc::new(KeyCache::new(source, options, Arc::clone(&self.clock)))
        });
        let jwks_issuer = self.issuer_of_keys(base_url.as_ref());
        let jwks_policy = match &keys {
            None => None,
            Some(_) => Some(self.jwks_policy(base_url.as_ref(), jwks_issuer.as_deref())?),
        };
        if let Some(kind) = self
            .needs(keys.is_some())
            .find(|kind| !store.supports(*kind))
        {
            return Err(ConfigError::new(
                "store",
                format!("cannot look up {kind}"),
                "use a store that supports it, or do not accept the credential that needs it (`without_secret_jwts`, `without_session_tokens`)",
            ));
        }
        let diagnostics = Diagnostics {
            config: self.advise(),
            lookups: self.needs(keys.is_some()).collect(),
            keys: keys.clone(),
        };
        let credential_sources = self.take_sources();
        // Better Auth writes its origin into a cookie cache, whatever `jwt.issuer` says.
        let origin = base_url.as_ref().map(|url| url.origin().to_owned());
        let cookie_cache = self.cookie_cache_verifier(keys.as_ref(), origin.or(jwks_issuer))?;
        let guard = self.origin_guard(base_url.as_ref())?;
        let secure = self.secure(base_url.as_ref());
        let secret_jwts = self.secrets.as_ref().filter(|_| self.accept_secret_jwts);
        let secret_jwts = secret_jwts.map(|ring| {
            SecretJwtVerifier::new(ring, self.accept_previous_secrets, self.secret_policy())
        });
        let jwks_jwts = keys.zip(jwks_policy);
        let jwks_jwts = jwks_jwts.map(|(keys, policy)| JwksJwtVerifier { keys, policy });
        let session_tokens = self.secrets.as_ref().filter(|_| self.accept_session_tokens);
        let session_tokens = session_tokens.map(|ring| {
            let validator = Arc::clone(&self.session_token_validator);
            SessionTokenVerifier::new(ring, self.accept_previous_secrets, validator)
        });
        let api_keys = self.api_keys.as_ref();
        Ok(BetterAuthLayer::new(Authenticator::new(Inner {
            sources: Sources {
                sources: credential_sources,
                api_key_headers: api_keys.map(|keys| keys.headers()).unwrap_or_default(),
                session_cookie: session_tokens
                    .as_ref()
                    .map(|_| CookieNames::new(&self.session_cookie(), secure)),
                cookie_cache: self.cookie_cache.as_ref().map(|cache| {
                    let name = cache.name.clone();
                    let default = || format!("{}.session_data", self.cookie_prefix);
                    CookieNames::new(&name.unwrap_or_else(default), secure)
                }),
            },
            guard,
            verifier: Verifier {
                jwts: JwtVerifier::new(secret_jwts, jwks_jwts, self.cached_jwts),
                session_tokens,
                cookie_cache,
                raw_session_tokens: self
                    .accept_raw_session_tokens
                    .then(|| Arc::clone(&self.session_token_validator)),
                has_secret: self.secrets.is_some(),
            },
            store,
            lookup_timeout: self.lookup_timeout,
            validator: Validator {
                api_key_configurations: api_keys
                    .map(|keys| keys.configurations())
                    .unwrap_or_default(),
                require_matching_subject: self.require_matching_subject,
                require_verified_email: self.require_verified_email,
                retry_after: self.retry_after,
            },
            clock: self.clock,
            renderer: self.renderer,
            recheck_interval: self.recheck_interval,
            diagnostics,
        })))
    }

    fn take_sources(&mut self) -> Vec<CredentialSource> {
        let mut sources = std::mem::take(&mut self.extra_sources);
        let others = self.sources.take();
        sources.extend(others.unwrap_or_else(CredentialSource::defaults));
        sources
    }

    fn take_store(&mut self) -> Result<Arc<dyn DynUserStore>, ConfigError> {
        self.store.take().ok_or_else(|| {
            ConfigError::new(
                "store",
                "is not set",
                "give the builder a `UserStore`, such as a `PostgresStore`, a `SqliteStore` or, in tests, a `MemoryStore`",
            )
        })
    }

    /// The lookups that the accepted credentials lead to.
    fn needs(&self, has_keys: bool) -> impl Iterator<Item = LookupKind> {
        let has_secret = self.secrets.is_some();
        let tokens = has_secret && self.accept_session_tokens || self.accept_raw_session_tokens;
        [
            (has_secret && self.accept_secret_jwts, LookupKind::Email),
            (has_keys, LookupKind::UserId),
            (tokens, LookupKind::SessionToken),
            (self.api_keys.is_some(), LookupKind::ApiKey),
        ]
        .into_iter()
        .filter_map(|(is_needed, kind)| is_needed.then_some(kind))
    }

    fn take_key_source(
        &mut self,
        base_url: Option<&BaseUrl>,
    ) -> Result<Option<Arc<dyn DynKeySource>>, ConfigError> {
        if let Some(source) = self.key_source.take() {
            return source.map(Some);
        }
        let Some(base_url) = base_url else {
            return Ok(None);
        };
        let source = RemoteKeySource::new(&base_url.jwks_url()).map_err(|_| {
            ConfigError::new(
                "base_url",
                "is not `https`, and whoever is on the way could put in keys",
                "write `https://`, or say with `key_source` where the keys are: in the database (`key_source` of the store), or at this address all the same (`RemoteKeySource::dangerous_allow_http`)",
            )
        })?;
        Ok(Some(Arc::new(source)))
    }

    fn issuer_of_keys(&self, base_url: Option<&BaseUrl>) -> Option<String> {
        let origin = base_url.map(|url| url.origin().to_owned());
        let own = self.jwks_issuer.clone();
        own.or(origin).or_else(|| self.issuer.clone())
    }

    fn jwks_policy(
        &self,
        base_url: Option<&BaseUrl>,
        issuer: Option<&str>,
    ) -> Result<JwksJwtPolicy, ConfigError> {
        let Some(issuer) = issuer else {
            return Err(ConfigError::new(
                "base_url",
                "is not set, and neither is an issuer",
                "set `base_url` to the address of the Better Auth deployment (BETTER_AUTH_URL): without it nobody knows for whom its tokens are meant",
            ));
        };
        let origin = base_url.map_or(issuer, BaseUrl::origin);
        let audiences = if self.audiences.is_empty() {
            vec![origin.to_owned()]
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

    fn secret_policy(&self) -> SecretJwtPolicy {
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

    fn secure(&self, base_url: Option<&BaseUrl>) -> Option<bool> {
        self.secure_cookies.or(base_url.map(BaseUrl::is_https))
    }

    pub(super) fn session_cookie(&self) -> String {
        let own = self.session_cookie_name.clone();
        own.unwrap_or_else(|| format!("{}.session_token", self.cookie_prefix))
    }

    fn cookie_cache_verifier(
        &self,
        keys: Option<&Arc<KeyCache>>,
        issuer: Option<String>,
    ) -> Result<Option<CookieCacheVerifier>, ConfigError> {
        let Some(cache) = &self.cookie_cache else {
            return Ok(None);
        };
        let Some(ring) = self.secrets.as_ref().filter(|_| self.accept_session_tokens) else {
            return Err(ConfigError::new(
                "cookie_cache",
                "is set, but session cookies are not accepted",
                "set the secret: a cache counts only beside a session cookie",
            ));
        };
        if cache.needs_keys() && keys.is_none() {
            return Err(ConfigError::new(
                "cookie_cache",
                "is signed with a public key, and none is known",
                "set `base_url` or `key_source`",
            ));
        }
        Ok(Some(CookieCacheVerifier::new(
            cache.clone(),
            ring,
            self.accept_previous_secrets,
            keys.cloned(),
            issuer,
        )))
    }

    fn origin_guard(&mut self, base_url: Option<&BaseUrl>) -> Result<OriginGuard, ConfigError> {
        let origins = std::mem::take(&mut self.trusted_origins);
        let mut trusted = origins.into_iter().collect::<Result<Vec<_>, _>>()?;
        trusted.extend(base_url.map(|url| TrustedOrigin::exactly(url.origin())));
        Ok(OriginGuard {
            trusted,
            require_origin: self.require_origin,
        })
    }
}

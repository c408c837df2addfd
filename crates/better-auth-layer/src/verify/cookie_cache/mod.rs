//! Better Auth's cookie cache: the cookie `session_data`, a signed or encrypted copy of user and
//! session.

mod compact;
mod jwe;
mod options;
mod payload;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;

use self::jwe::SealedCache;
pub use self::options::CookieCache;
pub(crate) use self::options::Strategy;
use self::payload::Payload;
use super::json_object::{JsonObject, Malformed};
use super::jws::{Algorithm, CompactJws, TokenType};
use super::verified::{CachedSession, VerifyError};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::SessionToken;
use crate::jwks::KeyCache;
use crate::secret::SecretRing;

/// The tolerance that Better Auth grants after `exp`, except for the strategy `jwt`.
const TOLERANCE: Duration = Duration::from_secs(15);

/// Verifies cookie caches of the configured strategy.
pub(crate) struct CookieCacheVerifier {
    options: CookieCache,
    /// For the strategies that sign with the secret.
    secrets: Vec<hmac::Key>,
    sealed: SealedCache,
    keys: Option<Arc<KeyCache>>,
    issuer: Option<String>,
}

impl CookieCacheVerifier {
    pub(crate) fn new(
        options: CookieCache,
        ring: &SecretRing,
        accept_previous: bool,
        keys: Option<Arc<KeyCache>>,
        issuer: Option<String>,
    ) -> Self {
        let secrets = ring.accepted(accept_previous);
        Self {
            options,
            secrets: secrets
                .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
                .collect(),
            sealed: SealedCache::new(ring),
            keys,
            issuer,
        }
    }

    /// Verifies the cache of a session whose token was verified. Returns user and session, and when
    /// the cache expires.
    pub(super) fn verify(
        &self,
        value: &str,
        token: &SessionToken,
        now: Timestamp,
    ) -> Result<(CachedSession, Timestamp), VerifyError> {
        let (json, expires_at) = match self.options.strategy {
            Strategy::Compact => {
                let (json, expires_at) = compact::open(value, |message, signature| {
                    self.is_signed(message, signature)
                })?;
                (json, Some(expires_at))
            }
            Strategy::Jwt => (self.open_jwt(value)?, None),
            Strategy::Jwe => (self.sealed.open(value)?, None),
            Strategy::Jwks => (self.open_jwks(value)?, None),
        };
        let object = JsonObject::parse(&json).map_err(malformed)?;
        let expires_at = match expires_at {
            Some(expires_at) => expires_at,
            None => self.check_claims(&object)?,
        };
        if expires_at <= now {
            return Err(InvalidReason::Expired.into());
        }
        let payload = Payload::parse(&object).map_err(malformed)?;
        let cached = payload.session_for(token, &self.options.version, now)?;
        Ok((cached, expires_at))
    }

    fn is_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.secrets
            .iter()
            .any(|key| hmac::verify(key, message, signature).is_ok())
    }

    /// Opens a JWS that is signed with the secret. Its header is exactly `{"alg":"HS256"}`.
    fn open_jwt(&self, value: &str) -> Result<String, InvalidReason> {
        let jws = CompactJws::parse(value)?;
        let header = jws.header()?;
        if header.algorithm != Algorithm::Hs256 || header.typ.is_some() || header.kid.is_some() {
            return Err(InvalidReason::TypNotAccepted);
        }
        if !self.is_signed(jws.signing_input(), &jws.signature()?) {
            return Err(InvalidReason::SignatureMismatch);
        }
        jws.payload()
    }

    fn open_jwks(&self, value: &str) -> Result<String, VerifyError> {
        let keys = self.keys.as_ref();
        let keys = keys.ok_or(InvalidReason::KeySourceMissing)?;
        let jws = CompactJws::parse(value)?;
        let header = jws.header()?;
        if header.typ != Some(TokenType::SessionCache) {
            return Err(InvalidReason::TypNotAccepted.into());
        }
        let (json, _) = jws.verify_with_jwks(&header, keys)?;
        Ok(json)
    }

    /// Checks the claims of a cache that is a JWT. Returns when it expires, tolerance included.
    fn check_claims(&self, claims: &JsonObject<'_>) -> Result<Timestamp, InvalidReason> {
        // Claims of the mail tokens that are signed with the same secret.
        let is_mail_token = ["email", "updateTo", "requestType"]
            .iter()
            .any(|claim| claims.contains(claim));
        let is_session_cache = self.options.strategy != Strategy::Jwks
            || self.is_session_cache(claims).map_err(malformed)?;
        if is_mail_token || !is_session_cache {
            return Err(InvalidReason::TypNotAccepted);
        }
        let tolerance = match self.options.strategy {
            Strategy::Jwt => Duration::ZERO,
            _ => TOLERANCE,
        };
        let seconds = claims.integer("exp").map_err(malformed)?;
        let expires_at = Timestamp::from_unix_seconds(seconds.ok_or(malformed(Malformed))?);
        Ok(expires_at.saturating_add(tolerance))
    }

    /// Whether the claims show that a token of the JWKS is a cookie cache of the issuer, for one user
    /// and session.
    fn is_session_cache(&self, claims: &JsonObject<'_>) -> Result<bool, Malformed> {
        let is_issued = match &self.issuer {
            Some(issuer) => claims.string("iss")?.as_deref() == Some(issuer),
            None => true,
        };
        let user = claims.object("user")?.ok_or(Malformed)?;
        let session = claims.object("session")?.ok_or(Malformed)?;
        let user_id = user.string("id")?.ok_or(Malformed)?;
        let token = session.string("token")?.ok_or(Malformed)?;
        Ok(is_issued
            && claims.string("aud")?.as_deref() == Some("better-auth:session-cache")
            && claims.string("sub")? == Some(user_id)
            && claims.string("sid")? == Some(token))
    }
}

fn malformed(Malformed: Malformed) -> InvalidReason {
    InvalidReason::CookieCacheMalformed
}

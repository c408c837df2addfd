//! Better Auth's cookie cache: the cookie `session_data`, a signed or encrypted copy of user and session.

mod compact;
mod jwe;
mod options;
mod payload;

use aws_lc_rs::hmac;
use serde_json::value::RawValue;
use tokio::sync::watch;

use self::jwe::SealedCache;
pub use self::options::CookieCache;
pub(crate) use self::options::Strategy;
pub(crate) use self::payload::CachedSession;
use self::payload::{JwtClaims, Payload};
use super::compact_jws::{CompactJws, JoseHeader};
use super::jwks_signature::{JwksSignature, KeyStep, signed_payload};
use crate::clock::Timestamp;
use crate::identity::SessionToken;
use crate::jwks::VerificationKey;
use crate::secret::SecretRing;

/// The type of a cookie cache that is signed with a key of the JWKS.
const TYPE: &str = "better-auth.session-cache+jwt";

/// Reads cookie caches of the one configured kind.
pub(crate) struct CookieCacheVerifier {
    options: CookieCache,
    /// For the kinds that are signed with the secret.
    keys: Vec<hmac::Key>,
    sealed: SealedCache,
    jwks: Option<JwksSignature>,
    issuer: Option<String>,
}

/// A verdict, or what to wait for.
pub(crate) enum CookieCacheStep {
    /// It is good, and it is about the session whose cookie stands beside it.
    Cached(CachedSession),
    /// It is nothing to go by, for this reason; the store has to be asked.
    Miss(&'static str),
    /// Its key is being fetched.
    AwaitsKey(watch::Receiver<()>),
}

impl CookieCacheVerifier {
    pub(crate) fn new(
        options: CookieCache,
        ring: &SecretRing,
        accept_previous: bool,
        jwks: Option<JwksSignature>,
        issuer: Option<String>,
    ) -> Self {
        let keys = ring.accepted(accept_previous);
        Self {
            options,
            keys: keys
                .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
                .collect(),
            sealed: SealedCache::new(ring),
            jwks,
            issuer,
        }
    }

    /// Reads a cache that came with the cookie of a session whose signature was verified.
    pub(crate) fn verify(
        &self,
        value: &str,
        token: &SessionToken,
        now: Timestamp,
    ) -> CookieCacheStep {
        let payload = match self.options.strategy {
            Strategy::Compact => compact::open(value, &self.keys, now),
            Strategy::Jwt => self.open_jwt(value, now),
            Strategy::Jwe => self.sealed.open(value, now),
            Strategy::Jwks => match self.begin_jwks(value, now) {
                Ok(Ok(payload)) => Ok(payload),
                Ok(Err(running)) => return CookieCacheStep::AwaitsKey(running),
                Err(reason) => Err(reason),
            },
        };
        self.judge(payload, token, now)
    }

    /// As [`verify`](Self::verify), when the fetch of the key has ended.
    pub(crate) async fn verify_fetched(
        &self,
        value: &str,
        token: &SessionToken,
        running: watch::Receiver<()>,
        now: impl FnOnce() -> Timestamp,
    ) -> CookieCacheStep {
        let Some(signature) = &self.jwks else {
            return CookieCacheStep::Miss("no key source");
        };
        let Ok((jws, header)) = parse(value) else {
            return CookieCacheStep::Miss("malformed");
        };
        match signature.fetched_key(&header, running).await {
            Ok(key) => {
                let now = now();
                let payload = self.open_jwks(jws, &header, &key, now);
                self.judge(payload, token, now)
            }
            Err(_) => CookieCacheStep::Miss("key not found"),
        }
    }

    fn judge(
        &self,
        payload: Result<Payload, &'static str>,
        token: &SessionToken,
        now: Timestamp,
    ) -> CookieCacheStep {
        let cached = payload.and_then(|payload| payload.judge(token, &self.options.version, now));
        match cached {
            Ok(cached) => CookieCacheStep::Cached(cached),
            Err(reason) => CookieCacheStep::Miss(reason),
        }
    }

    /// A JWS with the secret. Its header says `HS256` and nothing else.
    fn open_jwt(&self, value: &str, now: Timestamp) -> Result<Payload, &'static str> {
        let (jws, header) = parse(value)?;
        if header.alg != "HS256" || header.typ.is_some() || header.kid.is_some() {
            return Err("other kind of token");
        }
        let signature = jws.signature().map_err(|_| "malformed")?;
        if !is_signed(&self.keys, jws.signing_input(), &signature) {
            return Err("signature mismatch");
        }
        let claims = JwtClaims::parse(&jws.payload().map_err(|_| "malformed")?)?;
        let expires_at = claims.check_time(now, JwtClaims::NO_TOLERANCE)?;
        claims.payload(expires_at)
    }

    fn begin_jwks(
        &self,
        value: &str,
        now: Timestamp,
    ) -> Result<Result<Payload, watch::Receiver<()>>, &'static str> {
        let signature = self.jwks.as_ref().ok_or("no key source")?;
        let (jws, header) = parse(value)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err("other kind of token");
        }
        match signature.key(&header).map_err(|_| "key not found")? {
            KeyStep::Fetching(running) => Ok(Err(running)),
            KeyStep::Key(key) => self.open_jwks(jws, &header, &key, now).map(Ok),
        }
    }

    fn open_jwks(
        &self,
        jws: CompactJws<'_>,
        header: &JoseHeader,
        key: &VerificationKey,
        now: Timestamp,
    ) -> Result<Payload, &'static str> {
        let payload = signed_payload(jws, header, key);
        let payload = payload.map_err(|_| "signature mismatch")?;
        let claims = JwtClaims::parse(payload.as_bytes())?;
        let expires_at = claims.check_time(now, JwtClaims::TOLERANCE)?;
        claims.check_purpose(self.issuer.as_deref())?;
        claims.payload(expires_at)
    }
}

fn parse(value: &str) -> Result<(CompactJws<'_>, JoseHeader), &'static str> {
    let jws = CompactJws::parse(value).map_err(|_| "malformed")?;
    let header = jws.header().map_err(|_| "malformed")?;
    Ok((jws, header))
}

fn is_signed(keys: &[hmac::Key], message: &[u8], signature: &[u8]) -> bool {
    keys.iter()
        .any(|key| hmac::verify(key, message, signature).is_ok())
}

/// A whole number as it stands in the JSON, and its value.
fn digits(number: &RawValue) -> Option<(&str, i64)> {
    let text = number.get();
    Some((text, text.parse().ok()?))
}

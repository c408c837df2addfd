//! Bearer JWTs: signed with the secret, or with a key of the JWKS.

use std::sync::Arc;

use super::claims_policy::JwksJwtPolicy;
use super::jws::{Algorithm, CompactJws, JoseHeader};
use super::jwt_cache::{JwtCache, TokenHash, UsedKey};
use super::secret_jwt::SecretJwtVerifier;
use super::verified::{Verified, VerifyError};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::jwks::KeyCache;

/// Verifies bearer JWTs: `HS256` only with the secret, every other algorithm only with a key of the
/// JWKS, so a public key is never used as an HMAC secret.
#[derive(Debug)]
pub(crate) struct JwtVerifier {
    secret: Option<SecretJwtVerifier>,
    jwks: Option<JwksJwtVerifier>,
    cache: Option<JwtCache>,
}

/// Verifies JWTs that are signed with a key of the JWKS.
#[derive(Debug)]
pub(crate) struct JwksJwtVerifier {
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) policy: JwksJwtPolicy,
}

impl JwtVerifier {
    pub(crate) fn new(
        secret: Option<SecretJwtVerifier>,
        jwks: Option<JwksJwtVerifier>,
        cache_capacity: usize,
    ) -> Self {
        Self {
            secret,
            jwks,
            cache: (cache_capacity > 0).then(|| JwtCache::new(cache_capacity)),
        }
    }

    /// Verifies form, signature and claims, in this order: the payload is not parsed before its
    /// signature is verified.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, VerifyError> {
        let Some(cache) = &self.cache else {
            return self
                .verify_uncached(token, now)
                .map(|(verified, _)| verified);
        };
        let hash = TokenHash::of(token);
        let keys = self.jwks.as_ref().map(|jwks| &jwks.keys);
        if let Some(verified) = cache.get(hash, keys, now) {
            return Ok(verified);
        }
        let (verified, key) = self.verify_uncached(token, now)?;
        cache.insert(hash, &verified, key, now);
        Ok(verified)
    }

    fn verify_uncached(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Verified, Option<UsedKey>), VerifyError> {
        let jws = CompactJws::parse(token)?;
        let header = jws.header()?;
        let reject = |reason| header.reject(reason);
        header.check_is_jwt().map_err(reject)?;
        match header.algorithm {
            Algorithm::Hs256 => {
                let secret = self.secret.as_ref();
                let secret = secret.ok_or_else(|| reject(InvalidReason::SecretMissing))?;
                let verified = secret.verify(jws, &header, now).map_err(reject)?;
                Ok((verified, None))
            }
            Algorithm::PublicKey(_) => {
                let jwks = self.jwks.as_ref();
                let jwks = jwks.ok_or_else(|| reject(InvalidReason::KeySourceMissing))?;
                jwks.verify(jws, header, now)
            }
            Algorithm::NotSupported => Err(reject(InvalidReason::AlgorithmNotAccepted)),
        }
    }
}

impl JwksJwtVerifier {
    fn verify(
        &self,
        jws: CompactJws<'_>,
        header: JoseHeader,
        now: Timestamp,
    ) -> Result<(Verified, Option<UsedKey>), VerifyError> {
        let check = |payload: &str| {
            let verified = self.policy.check(payload, now);
            verified.map_err(|reason| header.reject(reason))
        };
        match jws.verify_with_jwks(&header, &self.keys) {
            Ok((payload, key)) => {
                let verified = check(&payload)?;
                let kid = header.kid.map(String::into_boxed_str);
                Ok((verified, kid.map(|kid| UsedKey { kid, key })))
            }
            Err(error @ (VerifyError::KeysPending(_) | VerifyError::KeysUnavailable)) => {
                // A token that would be rejected with any signature, such as an expired one, is
                // invalid (401) also while its key is missing (503). The unverified claims are
                // used for nothing else.
                let payload = jws.payload().map_err(|reason| header.reject(reason))?;
                check(&payload)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

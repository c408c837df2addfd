//! Bearer JWTs, whichever key they are signed with.

use std::sync::Arc;

use tokio::sync::watch;

use super::compact_jws::{CompactJws, JoseHeader};
use super::jwks_signature::{JwksSignature, KeyStep, signed_payload};
use super::jwt_cache::{JwtCache, TokenHash, UsedKey};
use super::{Held, Refused, SecretJwtVerifier, SessionJwtPolicy, Verified, VerifyError};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::jwks::{JwsAlgorithm, VerificationKey};

/// Verifies bearer JWTs: `HS256` by the secret and nothing else, any other algorithm by a key of the JWKS and nothing
/// else, so that no public key is ever taken for a secret.
#[derive(Debug)]
pub(crate) struct JwtVerifier {
    secret: Option<SecretJwtVerifier>,
    jwks: Option<(JwksSignature, SessionJwtPolicy)>,
    cache: Option<JwtCache>,
}

/// A verdict, or what to wait for.
pub(crate) enum JwtStep {
    Verified(Held),
    AwaitsKey(AwaitedKey),
}

/// A fetch of keys that is under way.
pub(crate) struct AwaitedKey(watch::Receiver<()>);

impl JwtVerifier {
    /// `cached`: how many tokens are kept that were verified.
    pub(crate) fn new(
        secret: Option<SecretJwtVerifier>,
        jwks: Option<(JwksSignature, SessionJwtPolicy)>,
        cached: usize,
    ) -> Self {
        Self {
            secret,
            jwks,
            cache: (cached > 0).then(|| JwtCache::new(cached)),
        }
    }

    /// Checks form, signature and claims, in this order: nothing of a payload is looked at before its signature is
    /// known to be good. What was found so not long ago is not checked again.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<JwtStep, VerifyError> {
        let Some(cache) = &self.cache else {
            return Ok(match self.verify_anew(token, now)? {
                Step::Verified(verified, _) => JwtStep::Verified(verified.into()),
                Step::AwaitsKey(awaited) => JwtStep::AwaitsKey(awaited),
            });
        };
        let jwks = self.jwks.as_ref().map(|(signature, _)| signature);
        let hash = TokenHash::of(token);
        if let Some(known) = cache.get(hash, jwks, now) {
            return Ok(JwtStep::Verified(Held::Shared(known)));
        }
        Ok(match self.verify_anew(token, now)? {
            Step::Verified(verified, key) => {
                cache.insert(hash, &verified, key, now);
                JwtStep::Verified(verified.into())
            }
            Step::AwaitsKey(awaited) => JwtStep::AwaitsKey(awaited),
        })
    }

    fn verify_anew(&self, token: &str, now: Timestamp) -> Result<Step, VerifyError> {
        let jws = CompactJws::parse(token)?;
        let header = jws.header()?;
        let refused = |reason| {
            VerifyError::Refused(Refused {
                reason,
                kid: header.kid.clone(),
            })
        };
        header.check_is_jwt().map_err(refused)?;
        if header.alg == "HS256" {
            let verifier = self.secret.as_ref();
            let verifier = verifier.ok_or_else(|| refused(InvalidReason::SecretMissing))?;
            let verified = verifier.verify(jws, &header, now).map_err(refused)?;
            return Ok(Step::Verified(verified, None));
        }
        if JwsAlgorithm::from_name(&header.alg).is_none() {
            return Err(refused(InvalidReason::AlgorithmNotAccepted));
        }
        let (signature, policy) = self
            .jwks
            .as_ref()
            .ok_or_else(|| refused(InvalidReason::KeySourceMissing))?;
        let key = signature.key(&header);
        match key.map_err(|error| if_good_otherwise(error, policy, jws, &header, now))? {
            KeyStep::Fetching(running) => Ok(Step::AwaitsKey(AwaitedKey(running))),
            KeyStep::Key(key) => {
                let verified = by_key(policy, jws, &header, &key, now)?;
                Ok(Step::Verified(verified, used(header, key)))
            }
        }
    }

    /// The verdict on a token whose key had to be waited for. `now` is asked when the wait is over.
    pub(crate) async fn verify_fetched(
        &self,
        token: &str,
        awaited: AwaitedKey,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<Verified, VerifyError> {
        let jws = CompactJws::parse(token)?;
        let header = jws.header()?;
        let Some((signature, policy)) = &self.jwks else {
            return Err(InvalidReason::KeySourceMissing.into());
        };
        let key = signature.fetched_key(&header, awaited.0).await;
        let now = now();
        let key = key.map_err(|error| if_good_otherwise(error, policy, jws, &header, now))?;
        let verified = by_key(policy, jws, &header, &key, now)?;
        if let Some(cache) = &self.cache {
            cache.insert(TokenHash::of(token), &verified, used(header, key), now);
        }
        Ok(verified)
    }
}

/// As [`JwtStep`], with the key of the JWKS where it was one.
enum Step {
    Verified(Verified, Option<UsedKey>),
    AwaitsKey(AwaitedKey),
}

fn used(header: JoseHeader, key: Arc<VerificationKey>) -> Option<UsedKey> {
    let kid = header.kid?.into();
    Some(UsedKey { kid, key })
}

fn by_key(
    policy: &SessionJwtPolicy,
    jws: CompactJws<'_>,
    header: &JoseHeader,
    key: &VerificationKey,
    now: Timestamp,
) -> Result<Verified, VerifyError> {
    let payload = signed_payload(jws, header, key)?;
    policy.check(&payload, now).map_err(|reason| {
        VerifyError::Refused(Refused {
            reason,
            kid: header.kid.clone(),
        })
    })
}

/// A token that would be refused whatever its signature is, such as one that has expired, is bad also while there are
/// no keys. Nobody is let in by what stands in it.
fn if_good_otherwise(
    error: VerifyError,
    policy: &SessionJwtPolicy,
    jws: CompactJws<'_>,
    header: &JoseHeader,
    now: Timestamp,
) -> VerifyError {
    let VerifyError::KeysUnavailable = error else {
        return error;
    };
    let claims = jws.payload().and_then(|payload| {
        let payload = String::from_utf8(payload).map_err(|_| InvalidReason::ClaimsMalformed)?;
        policy.check(&payload, now)
    });
    match claims {
        Ok(_) => VerifyError::KeysUnavailable,
        Err(reason) => VerifyError::Refused(Refused {
            reason,
            kid: header.kid.clone(),
        }),
    }
}

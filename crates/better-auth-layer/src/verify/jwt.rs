//! Bearer JWTs, whichever key they are signed with.

use tokio::sync::watch;

use super::compact_jws::{CompactJws, JoseHeader};
use super::jwks_signature::{JwksSignature, KeyStep, signed_payload};
use super::{Refused, SecretJwtVerifier, SessionJwtPolicy, Verified, VerifyError};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::jwks::{JwsAlgorithm, VerificationKey};

/// Verifies bearer JWTs: `HS256` by the secret and nothing else, any other algorithm by a key of the JWKS and nothing
/// else, so that no public key is ever taken for a secret.
#[derive(Debug)]
pub(crate) struct JwtVerifier {
    pub(crate) secret: Option<SecretJwtVerifier>,
    pub(crate) jwks: Option<(JwksSignature, SessionJwtPolicy)>,
}

/// A verdict, or what to wait for.
pub(crate) enum JwtStep {
    Verified(Verified),
    AwaitsKey(AwaitedKey),
}

/// A fetch of keys that is under way.
pub(crate) struct AwaitedKey(watch::Receiver<()>);

impl JwtVerifier {
    /// Checks form, signature and claims, in this order: nothing of a payload is looked at before its signature is
    /// known to be good.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<JwtStep, VerifyError> {
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
            return Ok(JwtStep::Verified(verified));
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
            KeyStep::Fetching(running) => Ok(JwtStep::AwaitsKey(AwaitedKey(running))),
            KeyStep::Key(key) => {
                let verified = by_key(policy, jws, &header, &key, now)?;
                Ok(JwtStep::Verified(verified))
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
        by_key(policy, jws, &header, &key, now)
    }
}

fn by_key(
    policy: &SessionJwtPolicy,
    jws: CompactJws<'_>,
    header: &JoseHeader,
    key: &VerificationKey,
    now: Timestamp,
) -> Result<Verified, VerifyError> {
    let payload = signed_payload(jws, header, key)?;
    policy.check(payload, now).map_err(|reason| {
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
        policy.check(payload, now)
    });
    match claims {
        Ok(_) => VerifyError::KeysUnavailable,
        Err(reason) => VerifyError::Refused(Refused {
            reason,
            kid: header.kid.clone(),
        }),
    }
}

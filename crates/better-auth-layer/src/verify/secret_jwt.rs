//! JWTs that the application signs with the deployment's secret (HS256).

use std::fmt;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::claims_policy::SecretJwtPolicy;
use super::jws::{CompactJws, JoseHeader};
use super::verified::Verified;
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::secret::SecretRing;

/// Verifies JWTs that are signed with the secret. The algorithm is always HS256.
pub(crate) struct SecretJwtVerifier {
    keys: Vec<DecodingKey>,
    policy: SecretJwtPolicy,
}

impl SecretJwtVerifier {
    pub(crate) fn new(ring: &SecretRing, accept_previous: bool, policy: SecretJwtPolicy) -> Self {
        let keys = ring
            .accepted(accept_previous)
            .map(|secret| DecodingKey::from_secret(secret.expose()))
            .collect();
        Self { keys, policy }
    }

    /// Verifies the signature, then the claims, of a token whose header has `HS256`.
    pub(super) fn verify(
        &self,
        jws: CompactJws<'_>,
        header: &JoseHeader,
        now: Timestamp,
    ) -> Result<Verified, InvalidReason> {
        let (input, signature) = (jws.signing_input(), jws.signature()?);
        if !self
            .keys
            .iter()
            .any(|key| is_signed(key, input, &signature))
        {
            return Err(InvalidReason::SignatureMismatch);
        }
        let payload = jws.payload()?;
        self.policy.check(&payload, header.typ.is_some(), now)
    }
}

impl fmt::Debug for SecretJwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretJwtVerifier")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Calls the aws-lc provider directly, because `jsonwebtoken::decode` and `crypto::verify` use a
/// provider for the whole process, which another crate can replace and which panics if two
/// providers are linked.
fn is_signed(key: &DecodingKey, signing_input: &[u8], signature: &Vec<u8>) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::HS256, key)
        .is_ok_and(|verifier| verifier.verify(signing_input, signature).is_ok())
}

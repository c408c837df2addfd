//! JWTs that the application signed with the deployment's secret (HS256).

use std::fmt;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::compact_jws::{CompactJws, JoseHeader};
use super::{ClaimPolicy, Verified};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::secret::SecretRing;

/// Verifies secret-signed JWTs: HS256 and nothing else, whatever a token's header would like.
pub(crate) struct SecretJwtVerifier {
    keys: Vec<DecodingKey>,
    policy: ClaimPolicy,
}

impl SecretJwtVerifier {
    pub(crate) fn new(ring: &SecretRing, accept_previous: bool, policy: ClaimPolicy) -> Self {
        let keys = ring
            .accepted(accept_previous)
            .map(|secret| DecodingKey::from_secret(secret.expose()))
            .collect();
        Self { keys, policy }
    }

    /// Checks signature and claims of a token whose header says `HS256`.
    pub(super) fn verify(
        &self,
        jws: CompactJws<'_>,
        header: &JoseHeader,
        now: Timestamp,
    ) -> Result<Verified, InvalidReason> {
        if !self.is_signed_by_us(jws.signing_input(), &jws.signature()?) {
            return Err(InvalidReason::SignatureMismatch);
        }
        let payload =
            String::from_utf8(jws.payload()?).map_err(|_| InvalidReason::ClaimsMalformed)?;
        self.policy.check(&payload, header.typ.is_some(), now)
    }

    fn is_signed_by_us(&self, signing_input: &[u8], signature: &Vec<u8>) -> bool {
        self.keys
            .iter()
            .any(|key| verify_hs256(key, signing_input, signature))
    }
}

impl fmt::Debug for SecretJwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretJwtVerifier")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Asks the aws-lc backend itself. jsonwebtoken's own `decode` goes through a provider for the whole process, which
/// another crate may have set and which panics where two backends are linked.
fn verify_hs256(key: &DecodingKey, signing_input: &[u8], signature: &Vec<u8>) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::HS256, key)
        .is_ok_and(|verifier| verifier.verify(signing_input, signature).is_ok())
}

/// Whether the linked cryptography accepts a good signature and refuses a bad one.
pub(crate) fn self_check() -> bool {
    tells_good_from_bad(verify_hs256)
}

/// Asks about the vector of RFC 4231 §4.3, and about another text with its signature.
fn tells_good_from_bad(verify: impl Fn(&DecodingKey, &[u8], &Vec<u8>) -> bool) -> bool {
    const DATA: &[u8] = b"what do ya want for nothing?";
    const MAC: [u8; 32] = [
        0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75,
        0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec,
        0x38, 0x43,
    ];
    let key = DecodingKey::from_secret(b"Jefe");
    verify(&key, DATA, &MAC.to_vec()) && !verify(&key, b"something else", &MAC.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cryptography_that_accepts_or_refuses_everything_is_noticed() {
        assert!(tells_good_from_bad(verify_hs256));
        assert!(!tells_good_from_bad(|_, _, _| true));
        assert!(!tells_good_from_bad(|_, _, _| false));
    }
}

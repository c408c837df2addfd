//! A public key that is ready to verify.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    VerificationAlgorithm,
};

use super::JwsAlgorithm;
use super::jwk::{Jwk, KeyProblem};
use super::{roca, small_order};

/// In bytes. Below it, keys are found by factoring; above it, a signature costs too much time to check.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A public key with the one algorithm that it is for.
///
/// The key was checked and parsed when its set was read: a point off its curve never gets as far as a token.
pub(crate) struct VerificationKey {
    algorithm: JwsAlgorithm,
    key: ParsedPublicKey,
}

impl VerificationKey {
    /// Takes a key of a set. `rsa_algorithm`: what an RSA key is for that does not say so.
    pub(super) fn new(jwk: &Jwk, rsa_algorithm: Option<JwsAlgorithm>) -> Result<Self, KeyProblem> {
        if !jwk.is_for_signatures() {
            return Err(KeyProblem::NotForSignatures);
        }
        let stated = match jwk.text("alg")? {
            None => None,
            Some(name) => {
                Some(JwsAlgorithm::from_name(name).ok_or(KeyProblem::AlgorithmContradicts)?)
            }
        };
        let only = |algorithm: JwsAlgorithm| match stated {
            Some(stated) if stated != algorithm => Err(KeyProblem::AlgorithmContradicts),
            _ => Ok(algorithm),
        };
        match (jwk.text("kty")?, jwk.text("crv")?) {
            (Some("OKP"), Some("Ed25519")) => {
                let (algorithm, x) = (only(JwsAlgorithm::EdDsa)?, coordinate(jwk, "x", 32)?);
                if small_order::is_small(&x) {
                    return Err(KeyProblem::Weak);
                }
                Self::parse(algorithm, &ED25519, &x)
            }
            (Some("EC"), Some("P-256")) => Self::parse(
                only(JwsAlgorithm::Es256)?,
                &ECDSA_P256_SHA256_FIXED,
                &point(jwk, 32)?,
            ),
            (Some("EC"), Some("P-521")) => Self::parse(
                only(JwsAlgorithm::Es512)?,
                &ECDSA_P521_SHA512_FIXED,
                &point(jwk, 66)?,
            ),
            (Some("RSA"), _) => {
                let algorithm = stated.or(rsa_algorithm);
                Self::rsa(jwk, algorithm.ok_or(KeyProblem::AlgorithmUnknown)?)
            }
            (Some(_), _) => Err(KeyProblem::TypeNotSupported),
            (None, _) => Err(KeyProblem::Malformed),
        }
    }

    fn parse(
        algorithm: JwsAlgorithm,
        verification: &'static dyn VerificationAlgorithm,
        key: &[u8],
    ) -> Result<Self, KeyProblem> {
        let key = ParsedPublicKey::new(verification, key).map_err(|_| KeyProblem::Malformed)?;
        Ok(Self { algorithm, key })
    }

    fn rsa(jwk: &Jwk, algorithm: JwsAlgorithm) -> Result<Self, KeyProblem> {
        let parameters = match algorithm {
            JwsAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            JwsAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
            JwsAlgorithm::EdDsa | JwsAlgorithm::Es256 | JwsAlgorithm::Es512 => {
                return Err(KeyProblem::AlgorithmContradicts);
            }
        };
        let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
        let is_odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte & 1 == 1);
        // The first bit of 256 bytes must be set, or there are fewer than 2048 of them.
        let has_all_bits = n.first().is_some_and(|byte| byte & 0x80 != 0) || n.len() > 256;
        if !RSA_MODULUS.contains(&n.len())
            || !has_all_bits
            || !is_odd(&n)
            || !is_odd(&e)
            || e == [1]
            || roca::has_mark(&n)
        {
            return Err(KeyProblem::Weak);
        }
        let key = RsaPublicKeyComponents { n: &n, e: &e }
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyProblem::Malformed)?;
        Ok(Self { algorithm, key })
    }

    /// What the key is for.
    pub(crate) fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }

    /// Whether it is the same key for the same purpose.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.key.as_ref() == other.key.as_ref()
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// A coordinate has all its bytes, leading zeros included (RFC 7518 §6.2.1.2).
fn coordinate(jwk: &Jwk, name: &str, length: usize) -> Result<Vec<u8>, KeyProblem> {
    let bytes = jwk.bytes(name)?;
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(KeyProblem::Malformed)
    }
}

/// Both coordinates, in the uncompressed form of SEC 1 §2.3.3.
fn point(jwk: &Jwk, length: usize) -> Result<Vec<u8>, KeyProblem> {
    let mut point = vec![4];
    point.extend(coordinate(jwk, "x", length)?);
    point.extend(coordinate(jwk, "y", length)?);
    Ok(point)
}

/// A whole number, without the leading zeros that it should not have (RFC 7518 §2) and some encoders write.
fn number(jwk: &Jwk, name: &str) -> Result<Vec<u8>, KeyProblem> {
    let bytes = jwk.bytes(name)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(bytes.get(zeros..).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests;

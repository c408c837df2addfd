//! One public key: its JSON form (RFC 7517 §4), its algorithm, and the parsed key that verifies
//! signatures.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Length of an RSA modulus in bytes. A shorter one can be factored; a longer one makes each
/// verification expensive.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A JWS algorithm with a public key (RFC 7518 §3.1, RFC 8037 §3.1): the five that Better Auth's
/// JWT plugin offers.
///
/// ```
/// use better_auth_layer::jwks::{JwksOptions, JwsAlgorithm};
///
/// // For RSA keys of an older Better Auth, which did not write `alg` into its key set.
/// let options = JwksOptions::new().rsa_algorithm(JwsAlgorithm::Rs256);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwsAlgorithm {
    /// Ed25519. The default of Better Auth.
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-521 and SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl JwsAlgorithm {
    /// Parses the value of `alg`. `Ed25519` is the newer name of `EdDSA` with that curve
    /// (RFC 9864).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "ES256" => Self::Es256,
            "ES512" => Self::Es512,
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            _ => return None,
        })
    }

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es512 => "ES512",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }
}

impl fmt::Display for JwsAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The members of a JSON Web Key, not yet validated.
#[derive(Clone)]
pub(super) struct Jwk(Map<String, Value>);

impl Jwk {
    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// An optional text member.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, KeyProblem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyProblem::Malformed),
        }
    }

    /// A required base64url member.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, KeyProblem> {
        let text = self.text(name)?.ok_or(KeyProblem::Malformed)?;
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| KeyProblem::Malformed)
    }

    /// Whether the key may verify signatures (RFC 7517 §4.2 and §4.3).
    fn is_for_signatures(&self) -> bool {
        let by_use = self.0.get("use").is_none_or(|usage| usage == "sig");
        let by_operations = self.0.get("key_ops").is_none_or(|operations| {
            let operations = operations.as_array();
            operations.is_some_and(|operations| operations.iter().any(|one| one == "verify"))
        });
        by_use && by_operations
    }
}

/// Shows the `kid` only: a misconfigured issuer may publish private members.
impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kid = self.0.get("kid").and_then(Value::as_str);
        f.debug_struct("Jwk")
            .field("kid", &kid)
            .finish_non_exhaustive()
    }
}

/// Why a key of a set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyProblem {
    Malformed,
    NoKid,
    DuplicateKid,
    NotForSignatures,
    TypeNotSupported,
    AlgorithmMismatch,
    AlgorithmUnknown,
    Weak,
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the key is malformed",
            Self::NoKid => "the key has no kid",
            Self::DuplicateKid => "another key has the same kid",
            Self::NotForSignatures => "the key is not for verifying signatures",
            Self::TypeNotSupported => {
                "the key's type or curve is not one that Better Auth signs tokens with"
            }
            Self::AlgorithmMismatch => "the key's alg does not match its type",
            Self::AlgorithmUnknown => {
                "the RSA key has no alg; set its algorithm with `JwksOptions::rsa_algorithm`"
            }
            Self::Weak => {
                "the RSA key is weak or too large: its modulus must be odd and have 2048 to 8192 bits, its exponent must be odd and above 1"
            }
        })
    }
}

/// A public key with the one algorithm that it verifies.
///
/// The key is validated and parsed when its set is read, so an invalid key (such as a point that
/// is not on its curve) never meets a token.
pub(crate) struct VerificationKey {
    algorithm: JwsAlgorithm,
    key: ParsedPublicKey,
}

impl VerificationKey {
    /// Parses a key of a set. `rsa_algorithm` applies to RSA keys without `alg`.
    pub(super) fn new(jwk: &Jwk, rsa_algorithm: Option<JwsAlgorithm>) -> Result<Self, KeyProblem> {
        if !jwk.is_for_signatures() {
            return Err(KeyProblem::NotForSignatures);
        }
        let stated = match jwk.text("alg")? {
            None => None,
            Some(name) => Some(JwsAlgorithm::from_name(name).ok_or(KeyProblem::AlgorithmMismatch)?),
        };
        let only = |algorithm: JwsAlgorithm| match stated {
            Some(stated) if stated != algorithm => Err(KeyProblem::AlgorithmMismatch),
            _ => Ok(algorithm),
        };
        match (jwk.text("kty")?, jwk.text("crv")?) {
            (Some("OKP"), Some("Ed25519")) => Self::parse(
                only(JwsAlgorithm::EdDsa)?,
                &ED25519,
                &coordinate(jwk, "x", 32)?,
            ),
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
                return Err(KeyProblem::AlgorithmMismatch);
            }
        };
        let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
        let is_odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte & 1 == 1);
        // 256 bytes are 2048 bits only if the first bit is set.
        let has_all_bits = n.first().is_some_and(|byte| byte & 0x80 != 0) || n.len() > 256;
        if !RSA_MODULUS.contains(&n.len())
            || !has_all_bits
            || !is_odd(&n)
            || !is_odd(&e)
            || e == [1]
        {
            return Err(KeyProblem::Weak);
        }
        let key = RsaPublicKeyComponents { n: &n, e: &e }
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyProblem::Malformed)?;
        Ok(Self { algorithm, key })
    }

    /// The only algorithm that this key verifies.
    pub(crate) fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }

    /// Whether both are the same key for the same algorithm.
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

/// A coordinate of full length, leading zeros included (RFC 7518 §6.2.1.2).
fn coordinate(jwk: &Jwk, name: &str, length: usize) -> Result<Vec<u8>, KeyProblem> {
    let bytes = jwk.bytes(name)?;
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(KeyProblem::Malformed)
    }
}

/// Both coordinates in the uncompressed form of SEC 1 §2.3.3.
fn point(jwk: &Jwk, length: usize) -> Result<Vec<u8>, KeyProblem> {
    let mut point = vec![4];
    point.extend(coordinate(jwk, "x", length)?);
    point.extend(coordinate(jwk, "y", length)?);
    Ok(point)
}

/// A number without leading zeros. RFC 7518 §2 forbids them, but some encoders write them.
fn number(jwk: &Jwk, name: &str) -> Result<Vec<u8>, KeyProblem> {
    let bytes = jwk.bytes(name)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(bytes.get(zeros..).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests;

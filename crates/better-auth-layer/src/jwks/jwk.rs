//! One JSON Web Key (RFC 7517 §4).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The members of a public key, none of them judged yet.
#[derive(Clone)]
pub(super) struct Jwk(Map<String, Value>);

impl Jwk {
    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// A member that must be text where it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, KeyProblem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyProblem::Malformed),
        }
    }

    /// A member of bytes in base64url.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, KeyProblem> {
        let text = self.text(name)?.ok_or(KeyProblem::Malformed)?;
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| KeyProblem::Malformed)
    }

    /// Whether it may be used to verify signatures (RFC 7517 §4.2 and §4.3).
    pub(super) fn is_for_signatures(&self) -> bool {
        let by_use = self.0.get("use").is_none_or(|usage| usage == "sig");
        let by_operations = self.0.get("key_ops").is_none_or(|operations| {
            let operations = operations.as_array();
            operations.is_some_and(|operations| operations.iter().any(|one| one == "verify"))
        });
        by_use && by_operations
    }
}

/// Public members alone would not hurt, but a careless issuer may publish others.
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
    TwoOfOneKid,
    NotForSignatures,
    TypeNotSupported,
    AlgorithmContradicts,
    AlgorithmUnknown,
    Weak,
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is malformed",
            Self::NoKid => "it has no kid",
            Self::TwoOfOneKid => "another key has the same kid",
            Self::NotForSignatures => "it is not for verifying signatures",
            Self::TypeNotSupported => "its type or curve is none that Better Auth uses for tokens",
            Self::AlgorithmContradicts => "its alg contradicts its type",
            Self::AlgorithmUnknown => {
                "it is an RSA key without alg; say which one it is for with `JwksOptions::rsa_algorithm`"
            }
            Self::Weak => "it is weak: below 2048 bits, with an unsafe exponent, made by a broken generator, or a point of small order",
        })
    }
}

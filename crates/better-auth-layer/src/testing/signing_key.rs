//! A key pair of the issuer's.

use std::fmt;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json_object::JsonObject;
use super::must::must;
use super::random;
use crate::jwks::JwsAlgorithm;

/// A key pair with its id, for one algorithm.
pub(super) struct SigningKey {
    kid: String,
    algorithm: JwsAlgorithm,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl SigningKey {
    /// A new one. RSA takes its time: some tenths of a second.
    pub(super) fn generate(algorithm: JwsAlgorithm) -> Self {
        let pair = Pair::generate(algorithm);
        Self {
            kid: random::id(),
            algorithm,
            pair: must("a key pair", pair),
        }
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    /// The public key as Better Auth publishes it.
    pub(super) fn jwk(&self) -> JsonObject {
        let jwk = JsonObject::new().with("alg", self.algorithm.as_str());
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = match &self.pair {
            Pair::Ed25519(pair) => jwk
                .with("crv", "Ed25519")
                .with("x", encode(pair.public_key().as_ref()))
                .with("kty", "OKP"),
            Pair::Ecdsa(pair) => {
                // Uncompressed, SEC 1 §2.3.3: a four, then both coordinates.
                let point = pair.public_key().as_ref();
                let coordinates = point.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                let crv = match self.algorithm {
                    JwsAlgorithm::Es512 => "P-521",
                    _ => "P-256",
                };
                jwk.with("crv", crv)
                    .with("kty", "EC")
                    .with("x", encode(x))
                    .with("y", encode(y))
            }
            Pair::Rsa(pair, _) => {
                let key = pair.public_key();
                jwk.with("kty", "RSA")
                    .with("n", encode(key.modulus().big_endian_without_leading_zero()))
                    .with(
                        "e",
                        encode(key.exponent().big_endian_without_leading_zero()),
                    )
            }
        };
        jwk.with("kid", &self.kid)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        must("a signature", self.pair.sign(message))
    }
}

impl Pair {
    fn generate(algorithm: JwsAlgorithm) -> Result<Self, Unspecified> {
        Ok(match algorithm {
            JwsAlgorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::generate()?),
            JwsAlgorithm::Es256 => {
                Self::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?)
            }
            JwsAlgorithm::Es512 => {
                Self::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING)?)
            }
            JwsAlgorithm::Rs256 => {
                Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?, &RSA_PKCS1_SHA256)
            }
            JwsAlgorithm::Ps256 => {
                Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?, &RSA_PSS_SHA256)
            }
        })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
            Self::Ecdsa(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

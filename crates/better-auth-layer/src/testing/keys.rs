//! The keys of the deployment, as a key source.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json::JsonObject;
use super::panic::must;
use super::{KeysFault, random};
use crate::jwks::{JwsAlgorithm, KeySet, KeySource, KeySourceError};

/// The response of a proxy without an upstream.
const ERROR_PAGE: &[u8] = b"<html><body><h1>502 Bad Gateway</h1></body></html>";

/// Key pairs of one algorithm. The last one signs, and all are published.
#[derive(Debug)]
pub(super) struct IssuerKeys {
    algorithm: JwsAlgorithm,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    old: Vec<Arc<SigningKey>>,
    /// `None` until it is first used.
    current: Option<Arc<SigningKey>>,
    fault: Option<KeysFault>,
    fetches: usize,
}

impl IssuerKeys {
    pub(super) fn new(algorithm: JwsAlgorithm) -> Self {
        Self {
            algorithm,
            state: Mutex::default(),
        }
    }

    /// The key that signs.
    pub(super) fn current(&self) -> Arc<SigningKey> {
        self.current_of(&mut self.state())
    }

    /// A key that is not published.
    pub(super) fn stranger(&self) -> SigningKey {
        SigningKey::generate(self.algorithm)
    }

    /// Signs with a new key from now on.
    pub(super) fn rotate(&self) {
        let mut state = self.state();
        let old = self.current_of(&mut state);
        state.old.push(old);
        state.current = None;
        self.current_of(&mut state);
    }

    /// Publishes only the key that signs.
    pub(super) fn retire_old(&self) {
        self.state().old.clear();
    }

    pub(super) fn set_fault(&self, fault: Option<KeysFault>) {
        self.state().fault = fault;
    }

    pub(super) fn fetches(&self) -> usize {
        self.state().fetches
    }

    /// The document that Better Auth serves at `/api/auth/jwks`.
    pub(super) fn to_json(&self) -> String {
        let mut state = self.state();
        let current = self.current_of(&mut state);
        let keys = state.old.iter().chain([&current]).map(|key| key.jwk());
        let keys: Vec<JsonObject> = keys.collect();
        JsonObject::new().with("keys", keys).to_json()
    }

    /// Created on first use, because RSA is slow.
    fn current_of(&self, state: &mut State) -> Arc<SigningKey> {
        let key = state
            .current
            .get_or_insert_with(|| Arc::new(self.stranger()));
        Arc::clone(key)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySource for IssuerKeys {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let fault = {
            let mut state = self.state();
            state.fetches += 1;
            state.fault
        };
        match fault {
            None => {}
            Some(KeysFault::Unavailable) => {
                return Err(KeySourceError::new("the test has broken the key set"));
            }
            Some(KeysFault::Slow(time)) => tokio::time::sleep(time).await,
            Some(KeysFault::Garbage) => return KeySet::from_json(ERROR_PAGE),
            Some(KeysFault::Empty) => return KeySet::from_json(br#"{"keys":[]}"#),
        }
        KeySet::from_json(self.to_json().as_bytes())
    }
}

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
    /// Generates a key pair. RSA takes some tenths of a second.
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
                // Uncompressed, SEC 1 §2.3.3: the byte 4 and both coordinates.
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

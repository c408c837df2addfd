//! Key pairs of an issuer, and JWTs like those of Better Auth's JWT plugin.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use crate::test_clock::NOW;
use crate::token::base64url;

/// The issuer of the tokens.
pub const ISSUER: &str = "http://localhost:3000";

/// A key pair with its id.
#[derive(Debug)]
pub struct Signer {
    kid: String,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    P521(EcdsaKeyPair),
    Rsa { pair: RsaKeyPair, alg: &'static str },
}

impl Signer {
    /// A new key pair for an algorithm.
    pub fn new(alg: &'static str, kid: &str) -> Self {
        let key = match alg {
            "EdDSA" => Key::Ed25519(Ed25519KeyPair::generate().unwrap()),
            "ES256" => Key::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "ES512" => Key::P521(EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap()),
            "RS256" | "PS256" => {
                Key::Rsa { pair: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), alg }
            }
            other => panic!("no algorithm of Better Auth: {other}"),
        };
        Self { kid: kid.to_owned(), key }
    }

    /// A key pair of Better Auth's default algorithm.
    pub fn ed25519(kid: &str) -> Self {
        Self::new("EdDSA", kid)
    }

    /// The name of its algorithm.
    pub fn alg(&self) -> &'static str {
        match &self.key {
            Key::Ed25519(_) => "EdDSA",
            Key::P256(_) => "ES256",
            Key::P521(_) => "ES512",
            Key::Rsa { alg, .. } => alg,
        }
    }

    /// The public key as Better Auth publishes it.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.public_members();
        jwk["alg"] = json!(self.alg());
        jwk["kid"] = json!(self.kid);
        jwk
    }

    fn public_members(&self) -> Value {
        let point = |pair: &EcdsaKeyPair, crv: &str| {
            let point = pair.public_key().as_ref()[1..].to_vec();
            let (x, y) = point.split_at(point.len() / 2);
            json!({ "kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y) })
        };
        match &self.key {
            Key::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key()) })
            }
            Key::P256(pair) => point(pair, "P-256"),
            Key::P521(pair) => point(pair, "P-521"),
            Key::Rsa { pair, .. } => {
                let key = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": base64url(key.modulus().big_endian_without_leading_zero()),
                    "e": base64url(key.exponent().big_endian_without_leading_zero()),
                })
            }
        }
    }

    /// A token with any header and claims.
    pub fn sign_raw(&self, header: &Value, claims: &str) -> String {
        let input = format!("{}.{}", base64url(header.to_string()), base64url(claims));
        let message = input.as_bytes();
        let random = SystemRandom::new();
        let signature = match &self.key {
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Key::P256(pair) | Key::P521(pair) => {
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Key::Rsa { pair, alg } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
                    if *alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        };
        format!("{input}.{}", base64url(signature))
    }

    /// The header that Better Auth writes.
    pub fn header(&self) -> Value {
        json!({ "alg": self.alg(), "kid": self.kid })
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_raw(&self.header(), &claims.to_string())
    }

    /// A valid token for a user, as from `/api/auth/token`.
    pub fn token_for(&self, user_id: &str) -> String {
        self.sign(&claims(user_id))
    }
}

/// The claims that Better Auth writes.
pub fn claims(user_id: &str) -> Value {
    json!({
        "iat": NOW - 5,
        "name": "Ada",
        "email": "ada@example.com",
        "emailVerified": true,
        "sub": user_id,
        "exp": NOW + 900,
        "iss": ISSUER,
        "aud": ISSUER,
    })
}

/// The claims with other members. `null` removes a member.
pub fn claims_with(user_id: &str, changes: &Value) -> Value {
    let mut claims = claims(user_id);
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// The key set with these keys.
pub fn jwks<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> String {
    let keys: Vec<Value> = signers.into_iter().map(Signer::jwk).collect();
    json!({ "keys": keys }).to_string()
}

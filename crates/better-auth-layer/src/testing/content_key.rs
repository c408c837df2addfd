//! The key of the encrypted cookie cache.

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json_object::JsonObject;
use super::must::must;

/// 64 bytes: the first half for the tag, the second for the cipher (RFC 7518 §5.2.5).
pub(super) struct ContentKey([u8; 64]);

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        64
    }
}

impl ContentKey {
    pub(super) fn derive(secret: &str) -> Self {
        let mut key = [0; 64];
        let extracted =
            hkdf::Salt::new(hkdf::HKDF_SHA256, b"better-auth-session").extract(secret.as_bytes());
        let filled = extracted
            .expand(&[b"BetterAuth.js Generated Encryption Key"], Length)
            .and_then(|expanded| expanded.fill(&mut key));
        must("a key for the cookie cache", filled);
        Self(key)
    }

    /// A compact JWE (RFC 7516 §7.1).
    pub(super) fn seal(&self, claims: &JsonObject) -> String {
        let header = JsonObject::new()
            .with("alg", "dir")
            .with("enc", "A256CBC-HS512")
            .with("kid", self.id());
        let header = URL_SAFE_NO_PAD.encode(header.to_json());
        let mut content = claims.to_json().into_bytes();
        let iv = must("an encrypted cookie cache", self.encrypt(&mut content));
        let tag = self.tag(&header, &iv, &content);
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!(
            "{header}..{}.{}.{}",
            encode(&iv),
            encode(&content),
            encode(&tag)
        )
    }

    /// The thumbprint of the key as a JWK (RFC 7638).
    fn id(&self) -> String {
        let jwk = JsonObject::new()
            .with("k", URL_SAFE_NO_PAD.encode(self.0))
            .with("kty", "oct");
        URL_SAFE_NO_PAD.encode(digest(&SHA256, jwk.to_json().as_bytes()))
    }

    /// Encrypts in place. Gives the initialization vector.
    fn encrypt(&self, content: &mut Vec<u8>) -> Result<Vec<u8>, Unspecified> {
        let (_, key) = self.0.split_at(32);
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key)?)?;
        match key.encrypt(content)? {
            DecryptionContext::Iv128(iv) => Ok(iv.as_ref().to_vec()),
            _ => Err(Unspecified),
        }
    }

    fn tag(&self, header: &str, iv: &[u8], content: &[u8]) -> Vec<u8> {
        let (key, _) = self.0.split_at(32);
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, key));
        for part in [header.as_bytes(), iv, content] {
            mac.update(part);
        }
        let header_bits = header.len() as u64 * 8;
        mac.update(&header_bits.to_be_bytes());
        mac.sign().as_ref().iter().copied().take(32).collect()
    }
}

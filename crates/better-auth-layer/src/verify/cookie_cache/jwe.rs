//! The encrypted kind: a compact JWE (RFC 7516) with `dir` and `A256CBC-HS512` (RFC 7518 §5.2.5).

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::payload::{JwtClaims, Payload};
use crate::clock::Timestamp;
use crate::secret::SecretRing;

/// Separates this use of the secret from that for the account cookie.
const SALT: &[u8] = b"better-auth-session";
const INFO: &[u8] = b"BetterAuth.js Generated Encryption Key";

/// Half of the key is for the tag, half for the cipher.
const HALF: usize = 32;

/// The keys that are derived from the secrets. Unlike signatures, which only the current secret makes, a sealed cache
/// names its key and is opened with any secret of the ring, as Better Auth does.
pub(super) struct SealedCache {
    keys: Vec<ContentKey>,
}

struct ContentKey {
    /// The JWK thumbprint of the key (RFC 7638).
    id: String,
    bytes: Zeroizing<[u8; 2 * HALF]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    #[serde(rename = "typ")]
    _typ: Option<String>,
}

struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        2 * HALF
    }
}

impl SealedCache {
    pub(super) fn new(ring: &SecretRing) -> Self {
        let keys = ring.accepted(true);
        Self {
            keys: keys
                .filter_map(|secret| ContentKey::derive(secret.expose()))
                .collect(),
        }
    }

    pub(super) fn open(&self, value: &str, now: Timestamp) -> Result<Payload, &'static str> {
        let mut parts = value.split('.');
        let (Some(header), Some(""), Some(iv), Some(ciphertext), Some(tag), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err("malformed");
        };
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| "malformed");
        let json = decode(header)?;
        // serde would take an array for the object.
        if json.first() != Some(&b'{') {
            return Err("malformed");
        }
        let parsed: Header = serde_json::from_slice(&json).map_err(|_| "malformed")?;
        if parsed.alg != "dir" || parsed.enc != "A256CBC-HS512" {
            return Err("other kind of token");
        }
        let (iv, ciphertext, tag) = (decode(iv)?, decode(ciphertext)?, decode(tag)?);
        let plain = self
            .keys
            .iter()
            .filter(|key| parsed.kid.as_ref().is_none_or(|kid| *kid == key.id))
            .find_map(|key| key.open(header, &iv, &ciphertext, &tag))
            .ok_or("signature mismatch")?;
        let claims = JwtClaims::parse(&plain)?;
        let expires_at = claims.check_time(now, JwtClaims::TOLERANCE)?;
        claims.payload(expires_at)
    }
}

impl ContentKey {
    fn derive(secret: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 2 * HALF]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, SALT)
            .extract(secret)
            .expand(&[INFO], KeyLength)
            .and_then(|key| key.fill(&mut *bytes))
            .ok()?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
        let jwk = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, *text));
        Some(Self {
            id: URL_SAFE_NO_PAD.encode(digest(&SHA256, jwk.as_bytes())),
            bytes,
        })
    }

    /// Checks the tag, then decrypts: nothing is decrypted that was not sealed with this key.
    fn open(&self, header: &str, iv: &[u8], ciphertext: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
        let (mac_key, cipher_key) = self.bytes.split_at_checked(HALF)?;
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, mac_key));
        mac.update(header.as_bytes());
        mac.update(iv);
        mac.update(ciphertext);
        let header_bits = u64::try_from(header.len()).ok()?.checked_mul(8)?;
        mac.update(&header_bits.to_be_bytes());
        let expected = mac.sign();
        verify_slices_are_equal(expected.as_ref().get(..HALF)?, tag).ok()?;
        let iv: [u8; 16] = iv.try_into().ok()?;
        let key = UnboundCipherKey::new(&AES_256, cipher_key).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let mut buffer = ciphertext.to_vec();
        let plain = key.decrypt(&mut buffer, DecryptionContext::Iv128(iv.into()));
        plain.ok().map(|plain| plain.to_vec())
    }
}

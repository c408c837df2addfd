//! The strategy `jwe`: a compact JWE (RFC 7516) with `dir` and `A256CBC-HS512` (RFC 7518 §5.2.5).

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::credential::InvalidReason;
use crate::secret::SecretRing;
use crate::verify::json_object::{JsonObject, Malformed};

/// Derives a different key than the one for the account cookie.
const SALT: &[u8] = b"better-auth-session";
const INFO: &[u8] = b"BetterAuth.js Generated Encryption Key";

/// The length of the MAC key and of the cipher key.
const HALF: usize = 32;

/// Opens encrypted caches. A cache names its key, so any secret of the ring is accepted, as Better
/// Auth does; signatures are accepted from the current secret only, unless configured otherwise.
pub(super) struct SealedCache {
    keys: Vec<ContentKey>,
}

struct ContentKey {
    /// The JWK thumbprint (RFC 7638).
    id: String,
    bytes: Zeroizing<[u8; 2 * HALF]>,
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

    pub(super) fn open(&self, value: &str) -> Result<String, InvalidReason> {
        let malformed = InvalidReason::CookieCacheMalformed;
        let mut parts = value.split('.');
        let (Some(header), Some(""), Some(iv), Some(ciphertext), Some(tag), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(malformed);
        };
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed);
        let parsed = parse_header(&decode(header)?);
        let (is_supported, kid) = parsed.map_err(|Malformed| malformed)?;
        if !is_supported {
            return Err(InvalidReason::AlgorithmNotAccepted);
        }
        let (iv, ciphertext, tag) = (decode(iv)?, decode(ciphertext)?, decode(tag)?);
        let plain = self
            .keys
            .iter()
            .filter(|key| kid.as_ref().is_none_or(|kid| *kid == key.id))
            .find_map(|key| key.open(header, &iv, &ciphertext, &tag))
            .ok_or(InvalidReason::SignatureMismatch)?;
        String::from_utf8(plain).map_err(|_| malformed)
    }
}

/// Returns whether the algorithms are supported, and the `kid`.
fn parse_header(json: &[u8]) -> Result<(bool, Option<String>), Malformed> {
    const MEMBERS: [&str; 4] = ["alg", "enc", "kid", "typ"];
    let header = JsonObject::parse(std::str::from_utf8(json).map_err(|_| Malformed)?)?;
    if header.iter().any(|(name, _)| !MEMBERS.contains(&name)) {
        return Err(Malformed);
    }
    let (algorithm, encryption) = (header.string("alg")?, header.string("enc")?);
    let kid = header.string("kid")?.map(Into::into);
    header.string("typ")?;
    let is_supported =
        algorithm.as_deref() == Some("dir") && encryption.as_deref() == Some("A256CBC-HS512");
    Ok((is_supported, kid))
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

    /// Verifies the tag, then decrypts.
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

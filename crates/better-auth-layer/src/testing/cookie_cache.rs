//! The cookie cache: the cookie `session_data`.

use std::time::Duration;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json::JsonObject;
use super::panic::must;
use super::state::{Deployment, cookie_value, jws};
use super::{TestSession, random};
use crate::clock::Timestamp;
use crate::verify::Strategy;

/// Five minutes (`cookieCache.maxAge`).
const MAX_AGE: Duration = Duration::from_secs(300);

/// The maximum length of a cookie with its name and attributes. Longer values are split into
/// chunks.
const LONGEST_COOKIE: usize = 4050;

/// The cookies of the cache: one cookie, or its chunks.
pub(super) fn cookies(deployment: &Deployment, session: &TestSession) -> Vec<(String, String)> {
    let own = deployment.cookie_cache.name.clone();
    let name = own.unwrap_or_else(|| format!("{}.session_data", deployment.cookie_prefix));
    let name = deployment.cookie_name(&name);
    let value = cookie_value(&seal(deployment, session));
    let secure = if deployment.is_secure() {
        "; Secure"
    } else {
        ""
    };
    let max_age = MAX_AGE.as_secs();
    let attributes = format!("; Max-Age={max_age}; Path=/; HttpOnly{secure}; SameSite=Lax");
    if name.len() + "=".len() + value.len() + attributes.len() <= LONGEST_COOKIE {
        return vec![(name, value)];
    }
    let around = name.len() + ".99=".len() + attributes.len();
    let longest_value = LONGEST_COOKIE.saturating_sub(around).max(1);
    let chunks = value.as_bytes().chunks(longest_value).enumerate();
    let chunk = |(index, chunk): (usize, &[u8])| {
        let value = String::from_utf8_lossy(chunk).into_owned();
        (format!("{name}.{index}"), value)
    };
    chunks.map(chunk).collect()
}

fn seal(deployment: &Deployment, session: &TestSession) -> String {
    let now = deployment.now();
    let expires_at = now.saturating_add(MAX_AGE);
    let payload = JsonObject::new()
        .with("session", session.to_json_object())
        .with("user", session.user().to_json_object())
        .with("updatedAt", now.as_unix_millis())
        .with("version", &deployment.cookie_cache.version);
    match deployment.cookie_cache.strategy {
        Strategy::Compact => compact(deployment, payload, expires_at),
        Strategy::Jwt => {
            let header = JsonObject::new().with("alg", "HS256");
            deployment.secret_jws(&header, &dated(payload, now, expires_at))
        }
        Strategy::Jwe => {
            let claims = dated(payload, now, expires_at).with("jti", random::uuid());
            ContentKey::derive(&deployment.secret).seal(&claims)
        }
        Strategy::Jwks => signed_with_key(deployment, session, payload, now, expires_at),
    }
}

/// The signed text is the payload with the expiry as its last member.
fn compact(deployment: &Deployment, payload: JsonObject, expires_at: Timestamp) -> String {
    let expires_at = expires_at.as_unix_millis();
    let message = payload.clone().with("expiresAt", expires_at);
    let signature = URL_SAFE_NO_PAD.encode(deployment.mac(&message.to_json()));
    let envelope = JsonObject::new()
        .with("session", payload)
        .with("expiresAt", expires_at)
        .with("signature", signature);
    URL_SAFE_NO_PAD.encode(envelope.to_json())
}

fn signed_with_key(
    deployment: &Deployment,
    session: &TestSession,
    payload: JsonObject,
    now: Timestamp,
    expires_at: Timestamp,
) -> String {
    let key = deployment.keys.current();
    let header = JsonObject::new()
        .with("alg", key.algorithm().as_str())
        .with("kid", key.kid())
        .with("typ", "better-auth.session-cache+jwt");
    let claims = dated(payload.with("sid", session.token()), now, expires_at)
        .with("iss", &deployment.origin)
        .with("aud", "better-auth:session-cache")
        .with("sub", session.user().id());
    jws(&header, &claims, |input| key.sign(input.as_bytes()))
}

fn dated(payload: JsonObject, now: Timestamp, expires_at: Timestamp) -> JsonObject {
    payload
        .with("iat", now.as_unix_seconds())
        .with("exp", expires_at.as_unix_seconds())
}

/// 64 bytes: the first half is for the tag, the second for the cipher (RFC 7518 §5.2.5).
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

    /// Encrypts in place and returns the initialization vector.
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

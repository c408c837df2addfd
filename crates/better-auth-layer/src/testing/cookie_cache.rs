//! Writes the cookie cache, the cookie `session_data`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::content_key::ContentKey;
use super::deployment::{Deployment, cookie_value, jws};
use super::json_object::JsonObject;
use super::{TestSession, random};
use crate::clock::Timestamp;
use crate::verify::Strategy;

/// Five minutes (`cookieCache.maxAge`).
const MAX_AGE: Duration = Duration::from_secs(300);

/// How long a cookie may be with its name and attributes before it is written in chunks.
const LONGEST_COOKIE: usize = 4050;

/// The cookies of the cache: one, or several that are its chunks.
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

/// What is signed is the payload with the end of the cache as its last member.
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

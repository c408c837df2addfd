//! Signs tokens without the library's code.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::test_clock::NOW;

/// The secret of the tests' deployment.
pub const SECRET: &str = "a-secret-of-the-deployment-under-test";

/// Encodes as JWS does.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs a header and a payload with HMAC-SHA256.
pub fn sign_raw(header: &str, payload: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref());
    let signature = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", base64url(signature))
}

/// The usual header of JWT libraries.
pub const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Signs claims with the usual header and the deployment's secret.
pub fn sign(claims: &Value) -> String {
    sign_raw(HEADER, claims.to_string(), SECRET)
}

/// Claims for an email, valid for ten minutes from [`NOW`].
pub fn claims(email: &str) -> Value {
    json!({ "email": email, "iat": NOW - 5, "exp": NOW + 600 })
}

/// The claims with other members. `null` removes a member.
pub fn claims_with(email: &str, changes: Value) -> Value {
    let mut claims = claims(email);
    for (name, value) in changes.as_object().unwrap() {
        let members = claims.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// A valid token for an email.
pub fn token_for(email: &str) -> String {
    sign(&claims(email))
}

/// A session token with the deployment's signature, as Better Auth's bearer plugin sends it.
pub fn signed_session_token(token: &str) -> String {
    signed_with(token, SECRET)
}

/// A session token signed with another secret.
pub fn signed_with(token: &str, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, token.as_bytes()));
    format!("{token}.{signature}")
}

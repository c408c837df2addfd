//! Mints tokens, good ones and bad ones, without the library's help.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::test_clock::NOW;

/// The secret of the deployment under test.
pub const SECRET: &str = "a-secret-of-the-deployment-under-test";

/// Encodes as JWS does.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs two parts, whatever they are, with HMAC-SHA256.
pub fn sign_raw(header: &str, payload: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref());
    let signature = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", base64url(signature))
}

/// The usual header of minting libraries.
pub const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Signs a claims set with the usual header and the deployment's secret.
pub fn sign(claims: &Value) -> String {
    sign_raw(HEADER, claims.to_string(), SECRET)
}

/// A claims set for an address that is good at [`NOW`] and for ten minutes more.
pub fn claims(email: &str) -> Value {
    json!({ "email": email, "iat": NOW - 5, "exp": NOW + 600 })
}

/// The same with members put in, replaced or, where the value is `null`, taken out.
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

/// A good token for an address.
pub fn token_for(email: &str) -> String {
    sign(&claims(email))
}

/// A session token with the deployment's signature, as Better Auth's bearer plugin hands it out.
pub fn signed_session_token(token: &str) -> String {
    signed_with(token, SECRET)
}

/// The same with another secret.
pub fn signed_with(token: &str, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, token.as_bytes()));
    format!("{token}.{signature}")
}

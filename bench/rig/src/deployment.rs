//! The Better Auth deployment: secret, key and credentials of its users.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::error::Error;

/// Issuer and audience of every token.
const ISSUER: &str = "http://localhost:3000";
const SECRET: &str = "bench-secret-Zk3vQ9xT7mB1wR5yL8dH2nJ6";
const KEY_ID: &str = "bench-key-1";

/// Outlives every run.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The credential of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Credential {
    /// A token signed with the secret.
    Hs256,
    /// A token of the JWT plugin.
    EdDsa,
    /// The session cookie.
    Cookie,
    /// The secret itself as one constant token.
    Constant,
}

pub(crate) struct Deployment {
    secret: hmac::Key,
    key: Ed25519KeyPair,
}

impl Deployment {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self {
            secret: hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()),
            key: Ed25519KeyPair::generate().map_err(|_| "cannot generate an Ed25519 key")?,
        })
    }

    /// The environment of every server.
    pub(crate) fn environment(&self) -> [(&'static str, String); 4] {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": KEY_ID, "x": x});
        [
            ("BENCH_SECRET", SECRET.to_owned()),
            ("BENCH_ISSUER", ISSUER.to_owned()),
            ("BENCH_JWKS", json!({ "keys": [jwk] }).to_string()),
            ("BENCH_ED25519_X", x),
        ]
    }

    /// The header line of a user's credential, with the line's end.
    pub(crate) fn header(&self, credential: Credential, user: usize) -> String {
        match credential {
            Credential::Hs256 | Credential::EdDsa => {
                format!(
                    "authorization: Bearer {}\r\n",
                    self.token(credential, user, None)
                )
            }
            Credential::Constant => format!("authorization: Bearer {SECRET}\r\n"),
            Credential::Cookie => {
                let token = session_token(user, 1);
                let signature = STANDARD.encode(hmac::sign(&self.secret, token.as_bytes()));
                let signature = signature
                    .replace('+', "%2B")
                    .replace('/', "%2F")
                    .replace('=', "%3D");
                format!("cookie: better-auth.session_token={token}.{signature}\r\n")
            }
        }
    }

    /// A token of Better Auth's JWT plugin, which contains all fields of the user. With a session, the
    /// token is bound to it.
    pub(crate) fn token(
        &self,
        credential: Credential,
        user: usize,
        session: Option<&str>,
    ) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let id = format!("usr_{user}");
        let mut claims = json!({
            "iat": now.as_secs(), "name": format!("User {user}"), "email": format!("user{user}@example.com"),
            "emailVerified": true, "image": null, "createdAt": "2026-11-23T11:36:18.379Z",
            "updatedAt": "2026-11-23T11:36:18.379Z", "role": "user", "banned": false, "banReason": null,
            "banExpires": null, "id": id, "sub": id, "exp": (now + LIFETIME).as_secs(), "iss": ISSUER, "aud": ISSUER,
        });
        if let Some(session) = session {
            claims["sid"] = session.into();
        }
        let header = match credential {
            Credential::EdDsa => json!({"alg": "EdDSA", "kid": KEY_ID}),
            // One of the compared servers requires a `kid`.
            _ => json!({"alg": "HS256", "typ": "JWT", "kid": "secret"}),
        };
        let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = match credential {
            Credential::EdDsa => URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes())),
            _ => URL_SAFE_NO_PAD.encode(hmac::sign(&self.secret, signed.as_bytes())),
        };
        format!("{signed}.{signature}")
    }
}

/// The token of a user's session: 32 letters and digits, like Better Auth's.
pub(crate) fn session_token(user: usize, session: usize) -> String {
    format!("{user:t>27}{session:0>5}")
}

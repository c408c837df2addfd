//! Credentials of every kind, and forged ones.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::history::{Credential, EmailHistory, Key, Pool, SessionHistory, Subject, UserHistory};
use support::rng::Rng;
use support::signer::{ISSUER, Signer};
use support::token::{sign, signed_session_token};

/// One forged credential for this number of valid ones.
const FORGED: u64 = 8;

/// Creates credentials and adds them to the pool.
pub(super) struct Mint {
    pub(super) signer: Signer,
    pub(super) pool: Pool,
}

impl Mint {
    pub(super) fn for_visit(
        &self,
        address: &Arc<EmailHistory>,
        person: &Arc<UserHistory>,
        visit: &Arc<SessionHistory>,
        rng: &mut Rng,
    ) {
        let signed = signed_session_token(&visit.token);
        let cookie = signed
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let cookie = format!("better-auth.session_token={cookie}");
        let held = || Subject::Session(Arc::clone(person), Arc::clone(visit));
        self.put("cookie", (COOKIE, value(&cookie)), held(), rng);
        self.bearer("signed session token", &signed, held(), rng);
        self.bearer("session token", &visit.token, held(), rng);
        self.jwts(address, person, Some(visit), rng);
    }

    /// JWTs that name a user, and optionally a session.
    pub(super) fn jwts(
        &self,
        address: &Arc<EmailHistory>,
        person: &Arc<UserHistory>,
        visit: Option<&Arc<SessionHistory>>,
        rng: &mut Rng,
    ) {
        let mut by_secret = json!({ "email": address.text });
        let mut by_key = json!({ "sub": person.id, "iss": ISSUER, "aud": ISSUER });
        for claims in [&mut by_secret, &mut by_key] {
            claims["iat"] = json!(seconds() - 5);
            claims["exp"] = json!(seconds() + 3600);
            // So that all tokens differ.
            claims["jti"] = json!(rng.below(u64::MAX));
            if let Some(visit) = visit {
                claims["sid"] = json!(visit.id);
            }
        }
        let names = Subject::Email(Arc::clone(address), visit.cloned());
        self.jwt(
            ["HS256", "HS256 with a session"][usize::from(visit.is_some())],
            sign(&by_secret),
            names,
            rng,
        );
        let names = Subject::User(Arc::clone(person), visit.cloned());
        let kind = ["EdDSA", "EdDSA with a session"][usize::from(visit.is_some())];
        self.jwt(kind, self.sign(&by_key), names, rng);
    }

    pub(super) fn for_key(&self, person: &Arc<UserHistory>, key: &Arc<Key>, rng: &mut Rng) {
        let header = (HeaderName::from_static("x-api-key"), value(&key.text));
        let names = Subject::Key(Arc::clone(person), Arc::clone(key));
        self.put("API key", header, names, rng);
    }

    fn sign(&self, claims: &Value) -> String {
        self.signer.sign(claims)
    }

    fn jwt(&self, kind: &'static str, token: String, names: Subject, rng: &mut Rng) {
        if rng.below(FORGED) == 0 {
            // A valid token and a copy with a changed signature.
            self.bearer("forged JWT", &forged(&token), Subject::Forged, rng);
        }
        self.bearer(kind, &token, names, rng);
    }

    fn bearer(&self, kind: &'static str, token: &str, names: Subject, rng: &mut Rng) {
        if kind == "signed session token" && rng.below(FORGED) == 0 {
            let token = format!("Bearer {}", forged(token));
            let header = (AUTHORIZATION, value(&token));
            self.put("forged session token", header, Subject::Forged, rng);
        }
        let header = (AUTHORIZATION, value(&format!("Bearer {token}")));
        self.put(kind, header, names, rng);
    }

    fn put(
        &self,
        kind: &'static str,
        header: (HeaderName, HeaderValue),
        bearer: Subject,
        rng: &mut Rng,
    ) {
        let credential = Credential {
            kind,
            header,
            bearer,
        };
        self.pool.put(credential, rng);
    }
}

/// The text with a different letter ten places before its end.
fn forged(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let place = bytes.len() - 10;
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap()
}

fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

//! Credentials of every kind, and forged ones.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::history::{Address, Bearer, Credential, Key, Person, Pool, Visit};
use support::rng::Dice;
use support::signer::{ISSUER, Signer};
use support::token::{sign, signed_session_token};

/// One forged credential for so many good ones.
const FORGED: u64 = 8;

/// Makes credentials and puts them where the clients find them.
pub(super) struct Mint {
    pub(super) signer: Signer,
    pub(super) pool: Pool,
}

impl Mint {
    pub(super) fn for_visit(
        &self,
        address: &Arc<Address>,
        person: &Arc<Person>,
        visit: &Arc<Visit>,
        dice: &mut Dice,
    ) {
        let signed = signed_session_token(&visit.token);
        let cookie = signed
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let cookie = format!("better-auth.session_token={cookie}");
        let held = || Bearer::Visit(Arc::clone(person), Arc::clone(visit));
        self.put("cookie", (COOKIE, value(&cookie)), held(), dice);
        self.bearer("signed session token", &signed, held(), dice);
        self.bearer("session token", &visit.token, held(), dice);
        self.jwts(address, person, Some(visit), dice);
    }

    /// JWTs that name a user, and perhaps one of the sessions.
    pub(super) fn jwts(
        &self,
        address: &Arc<Address>,
        person: &Arc<Person>,
        visit: Option<&Arc<Visit>>,
        dice: &mut Dice,
    ) {
        let mut by_secret = json!({ "email": address.text });
        let mut by_key = json!({ "sub": person.id, "iss": ISSUER, "aud": ISSUER });
        for claims in [&mut by_secret, &mut by_key] {
            claims["iat"] = json!(seconds() - 5);
            claims["exp"] = json!(seconds() + 3600);
            // So that no two are the same.
            claims["jti"] = json!(dice.throw(u64::MAX));
            if let Some(visit) = visit {
                claims["sid"] = json!(visit.id);
            }
        }
        let names = Bearer::Address(Arc::clone(address), visit.cloned());
        self.jwt(
            ["HS256", "HS256 with a session"][usize::from(visit.is_some())],
            sign(&by_secret),
            names,
            dice,
        );
        let names = Bearer::Subject(Arc::clone(person), visit.cloned());
        let kind = ["EdDSA", "EdDSA with a session"][usize::from(visit.is_some())];
        self.jwt(kind, self.sign(&by_key), names, dice);
    }

    pub(super) fn for_key(&self, person: &Arc<Person>, key: &Arc<Key>, dice: &mut Dice) {
        let header = (HeaderName::from_static("x-api-key"), value(&key.text));
        let names = Bearer::Key(Arc::clone(person), Arc::clone(key));
        self.put("API key", header, names, dice);
    }

    fn sign(&self, claims: &Value) -> String {
        self.signer.sign(claims)
    }

    fn jwt(&self, kind: &'static str, token: String, names: Bearer, dice: &mut Dice) {
        if dice.throw(FORGED) == 0 {
            // Good but for the end of the signature, beside the good one.
            self.bearer("forged JWT", &forged(&token), Bearer::Nobody, dice);
        }
        self.bearer(kind, &token, names, dice);
    }

    fn bearer(&self, kind: &'static str, token: &str, names: Bearer, dice: &mut Dice) {
        if kind == "signed session token" && dice.throw(FORGED) == 0 {
            let token = format!("Bearer {}", forged(token));
            let header = (AUTHORIZATION, value(&token));
            self.put("forged session token", header, Bearer::Nobody, dice);
        }
        let header = (AUTHORIZATION, value(&format!("Bearer {token}")));
        self.put(kind, header, names, dice);
    }

    fn put(
        &self,
        kind: &'static str,
        header: (HeaderName, HeaderValue),
        bearer: Bearer,
        dice: &mut Dice,
    ) {
        let credential = Credential {
            kind,
            header,
            bearer,
        };
        self.pool.put(credential, dice);
    }
}

/// The same with another letter ten places before the end.
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

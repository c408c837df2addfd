//! Issued credentials have the format of the recordings: byte for byte, or for random parts by
//! members, order and types.

use std::path::Path;
use support::prelude::*;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use better_auth_layer::testing::{TestClock, TestSession};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A recorded deployment, and a test deployment with the same URL, secret, user and session.
struct Recording {
    document: Value,
    issuer: TestDeployment,
    session: TestSession,
}

impl Recording {
    fn new(name: &str) -> Self {
        Self::with(name, JwsAlgorithm::EdDsa, CookieCache::compact())
    }

    fn with(name: &str, algorithm: JwsAlgorithm, cache: CookieCache) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/better-auth");
        let text = std::fs::read_to_string(path.join(format!("{name}.json"))).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let (user, row) = {
            let body = &document["getSession"]["body"];
            (&body["user"], &body["session"])
        };
        let issuer = TestDeployment::builder()
            .base_url(document["baseURL"].as_str().unwrap())
            .secret(Secret::new(document["secret"].as_str().unwrap()).unwrap())
            .algorithm(algorithm)
            .cookie_cache(cache)
            .clock(TestClock::at(time(&row["createdAt"])))
            .build();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let user = issuer
            .user(user["email"].as_str().unwrap())
            .id(text(&user["id"]))
            .name(text(&user["name"]))
            .create();
        let session = user.session().id(text(&row["id"])).token(text(&row["token"]));
        let session = session.create();
        Self { document, issuer, session }
    }

    /// The value of a recorded cookie.
    fn cookie(&self, name: &str) -> String {
        let header = self.document["cookieHeader"].as_str().unwrap();
        let mut cookies = header.split("; ").filter_map(|cookie| cookie.split_once('='));
        cookies.find(|(found, _)| *found == name).unwrap().1.to_owned()
    }

    /// The value of the issued cookie cache.
    fn minted_cache(&self) -> String {
        let cookies = self.session.cookie_cache();
        let (_, cache) = cookies.text().split_once("; ").unwrap();
        cache.split_once('=').unwrap().1.to_owned()
    }
}

fn time(date: &Value) -> Timestamp {
    let time: jiff::Timestamp = date.as_str().unwrap().parse().unwrap();
    Timestamp::from_unix_millis(time.as_millisecond())
}

fn decode(part: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn parts(token: &str) -> Vec<&str> {
    token.split('.').collect()
}

/// The members of an object and of nested objects, in order, with their types.
fn shape(json: &str) -> Vec<String> {
    struct Members(Vec<(String, Box<RawValue>)>);

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct InOrder;
            impl<'de> serde::de::Visitor<'de> for InOrder {
                type Value = Members;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(InOrder)
        }
    }

    let Members(members) = serde_json::from_str(json).unwrap();
    let mut shape = Vec::new();
    for (name, value) in members {
        let text = value.get();
        let kind = match text.as_bytes()[0] {
            b'{' => "object",
            b'[' => "array",
            b'"' => "text",
            b't' | b'f' => "boolean",
            b'n' => "null",
            _ => "number",
        };
        // A date has a fixed format.
        let is_date = text.len() == 26 && text.ends_with("Z\"");
        shape.push(format!("{name}: {}", if is_date { "date" } else { kind }));
        if kind == "object" {
            let inner = self::shape(text);
            shape.extend(inner.into_iter().map(|member| format!("{name}.{member}")));
        }
    }
    shape
}

#[test]
fn session_cookies_match_recordings() {
    for (name, cookie) in [
        ("sqlite-nocache", "better-auth.session_token"),
        ("pg-nocache", "better-auth.session_token"),
        ("secure-https", "__Secure-better-auth.session_token"),
    ] {
        let recording = Recording::new(name);
        let minted = recording.session.cookie();
        let expected = format!("{cookie}={}", recording.cookie(cookie));
        assert_eq!(minted.text(), expected, "{name}");
        let signed = recording.session.signed_token();
        assert_eq!(signed.text(), recording.document["setAuthToken"], "{name}");
    }
}

#[test]
fn mail_tokens_match_recordings() {
    let recording = Recording::new("sqlite-nocache");
    let mails = recording.document["mails"].as_array().unwrap();
    let user = recording.session.user();
    for mail in &mails[..2] {
        let payload = &mail["decoded"]["payload"];
        let issued_at = payload["iat"].as_i64().unwrap();
        recording.issuer.clock().set_wall(at(issued_at));
        let minted = match payload["updateTo"].as_str() {
            None => user.email_verification_token(),
            Some(address) => user.change_email_token(address),
        };
        assert_eq!(minted.text(), mail["token"]);
    }
    assert!(mails[1]["decoded"]["payload"]["updateTo"].is_string());
}

#[test]
fn jwts_match_recordings() {
    for algorithm in [
        JwsAlgorithm::EdDsa,
        JwsAlgorithm::Es256,
        JwsAlgorithm::Es512,
        JwsAlgorithm::Rs256,
        JwsAlgorithm::Ps256,
    ] {
        let name = format!("alg-{algorithm}");
        let recording = Recording::with(&name, algorithm, CookieCache::compact());
        let recorded = &recording.document["token"]["body"]["token"];
        let recorded = recorded.as_str().unwrap();
        let minted = recording.session.jwt().mint();
        let (recorded, minted) = (parts(recorded), parts(minted.text()));
        for part in [0, 1] {
            let (recorded, minted) = (decode(recorded[part]), decode(minted[part]));
            assert_eq!(shape(&minted), shape(&recorded), "{name}");
        }
        assert_eq!(minted[2].len(), recorded[2].len(), "{name}");
        // All members except the times are determined by the input.
        let claims = |token: &[&str]| {
            let mut claims: Value = serde_json::from_str(&decode(token[1])).unwrap();
            for time in ["iat", "exp", "createdAt", "updatedAt"] {
                claims.as_object_mut().unwrap().remove(time);
            }
            claims
        };
        assert_eq!(claims(&minted), claims(&recorded), "{name}");

        let key = |set: &Value| set["keys"][0].as_object().unwrap().clone();
        let set = recording.issuer.jwks_json();
        let (ours, theirs) =
            (key(&serde_json::from_str(&set).unwrap()), key(&recording.document["jwks"]));
        for (member, theirs) in &theirs {
            let (ours, theirs) = (ours[member].as_str().unwrap(), theirs.as_str().unwrap());
            if matches!(member.as_str(), "alg" | "crv" | "kty" | "e") {
                assert_eq!(ours, theirs, "{name}: {member}");
            } else {
                assert_eq!(ours.len(), theirs.len(), "{name}: {member}");
            }
        }
        assert_eq!(ours.len(), theirs.len(), "{name}");
    }
}

#[test]
fn cookie_caches_match_recordings() {
    for (name, cache) in [
        ("sqlite-cache-compact", CookieCache::compact()),
        ("sqlite-cache-jwt", CookieCache::jwt()),
        ("sqlite-cache-jwks", CookieCache::jwks()),
    ] {
        let recording = Recording::with(name, JwsAlgorithm::EdDsa, cache);
        let recorded = recording.cookie("better-auth.session_data");
        let minted = recording.minted_cache().replace("__Secure-", "");
        let (recorded, minted) = (parts(&recorded), parts(&minted));
        assert_eq!(minted.len(), recorded.len(), "{name}");
        for (minted, recorded) in minted.iter().zip(&recorded).take(2) {
            let (minted, recorded) = (decode(minted), decode(recorded));
            assert_eq!(shape(&minted), shape(&recorded), "{name}");
        }
        if let (Some(minted), Some(recorded)) = (minted.get(2), recorded.get(2)) {
            assert_eq!(minted.len(), recorded.len(), "{name}");
        }
    }
    let jwt = Recording::with("sqlite-cache-jwt", JwsAlgorithm::EdDsa, CookieCache::jwt());
    let recorded = jwt.cookie("better-auth.session_data");
    assert_eq!(parts(&jwt.minted_cache())[0], parts(&recorded)[0]);
}

#[test]
fn jwe_kid_matches_recording() {
    for name in ["sqlite-cache-jwe", "secure-https"] {
        let recording = Recording::with(name, JwsAlgorithm::EdDsa, CookieCache::jwe());
        let secure = if name == "secure-https" { "__Secure-" } else { "" };
        let recorded = recording.cookie(&format!("{secure}better-auth.session_data"));
        let minted = recording.minted_cache();
        let (recorded, minted) = (parts(&recorded), parts(&minted));
        assert_eq!(minted[..2], recorded[..2], "the header, and no encrypted key");
        for part in [2, 4] {
            assert_eq!(minted[part].len(), recorded[part].len(), "{name}");
        }
        let content = URL_SAFE_NO_PAD.decode(minted[3]).unwrap();
        assert_eq!(content.len() % 16, 0);
    }
}

#[test]
fn long_caches_are_cut_as_recorded() {
    let issuer = TestDeployment::builder().base_url("http://localhost:3000").build();
    let ada = issuer.user("ada@example.com").field("bio", "b".repeat(9000)).create();
    let cookies = ada.sign_in().cookie_cache();
    let chunks: Vec<_> = cookies.text().split("; ").skip(1).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let (name, value) = chunk.split_once('=').unwrap();
        assert_eq!(name, format!("better-auth.session_data.{index}"));
        let is_last = index + 1 == chunks.len();
        assert!(is_last || value.len() == 3977, "as recorded: {}", value.len());
    }
    assert!(chunks.len() > 2);
}

#[test]
fn api_keys_match_recordings() {
    let recording = Recording::new("sqlite-nocache");
    let recorded = recording.document["apiKeyCreate"]["body"]["key"].as_str().unwrap();
    let key = recording.session.user().api_key().prefix("golden_");
    let key = key.expires_in(Duration::from_secs(60)).create().credential();
    assert_eq!(key.text().len(), recorded.len());
    let random = key.text().strip_prefix("golden_").unwrap();
    assert!(random.bytes().all(|byte| byte.is_ascii_alphabetic()));
}

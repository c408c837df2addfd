//! Recordings of a real Better Auth: tokens that it signs for internal use are rejected, and its
//! SQLite file is read.

use std::path::Path;
use support::prelude::*;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/better-auth").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All strings in a document that look like a compact JWS: in mails, URLs, cookies.
fn tokens(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let is_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            for word in text.split(|c| !is_token(c)) {
                if word.starts_with("eyJ")
                    && word.split('.').count() == 3
                    && !found.contains(&word.to_owned())
                {
                    found.push(word.to_owned());
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| tokens(value, found)),
        Value::Object(members) => members.values().for_each(|value| tokens(value, found)),
        _ => {}
    }
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The recorded deployment at the time a token was issued, with its user signed in.
fn app(secret: &str, token: &str, loose: bool) -> App {
    let claims = part(token, 1);
    let email = claims["email"].as_str().or(claims["user"]["email"].as_str()).unwrap();
    let store = MemoryStore::new();
    store.insert_user(User::new("victim", email));
    store.insert_session(Session::new("active", "victim", Timestamp::MAX));
    let builder = builder(store)
        .secret(Secret::new(secret).unwrap())
        .clock(TestClock::at(at(claims["iat"].as_i64().unwrap())));
    App::of(if loose { builder.dangerous_accept_unbound_tokens() } else { builder })
}

#[tokio::test]
async fn internal_tokens_are_rejected() {
    let (log, _guard) = CapturedLog::start();
    let (mut mails, mut caches, mut session_jwts) = (0, 0, 0);
    for file in ["attacks.json", "pg-nocache.json", "sqlite-nocache.json", "sqlite-cache-jwt.json"]
    {
        let document: Value = serde_json::from_str(&fixture(file)).unwrap();
        let secret = document["secret"].as_str().unwrap();
        let mut found = Vec::new();
        tokens(&document, &mut found);
        for token in &found {
            let what = format!("{file}: {} {}", part(token, 0), part(token, 1));
            if part(token, 1)["email"].is_null() && part(token, 1)["user"]["email"].is_null() {
                continue;
            }
            log.take();
            let answer = app(secret, token, false).send(token).await;
            answer.assert_rejected(&what, InvalidCredential);
            // The reason is neither the signature nor the expiry.
            let text = log.take();
            let claims = part(token, 1);
            let reason = if part(token, 0)["alg"] != "HS256" {
                session_jwts += 1;
                ["key_source_missing", "typ_not_accepted"].as_slice()
            } else if claims["session"].is_object() {
                caches += 1;
                &["better_auth_own_token"]
            } else {
                mails += 1;
                if claims["updateTo"].is_null() {
                    &["no_binding"]
                } else {
                    &["better_auth_own_token"]
                }
            };
            assert!(reason.iter().any(|reason| text.contains(reason)), "{what}: {text}");
        }
    }
    assert!(mails >= 5 && caches >= 1 && session_jwts >= 3, "{mails} {caches} {session_jwts}");
}

/// Without the binding rule, the token of a verification mail would be accepted. The
/// change-of-email token, which is sent to the attacker, is rejected even then.
#[tokio::test]
async fn binding_rule_is_what_rejects_mails() {
    let document: Value = serde_json::from_str(&fixture("sqlite-nocache.json")).unwrap();
    let secret = document["secret"].as_str().unwrap();
    let mut found = Vec::new();
    tokens(&document["mails"], &mut found);
    let (change, verify): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|token| part(token, 1)["updateTo"].is_string());
    assert!(!change.is_empty() && !verify.is_empty());
    for token in verify {
        app(secret, &token, true)
            .send(&token)
            .await
            .assert_identity("loosened", "victim", "active");
    }
    for token in change {
        let answer = app(secret, &token, true).send(&token).await;
        answer.assert_rejected("an artefact all the same", InvalidCredential);
    }
}

#[tokio::test]
async fn recorded_sqlite_file_is_read() {
    let rows: Value = serde_json::from_str(&fixture("sqlite.rows.json")).unwrap();
    let folder = TemporaryFolder::new();
    let path = folder.path().join("better-auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(&fixture("sqlite.schema.sql")).unwrap();
    for table in ["user", "session"] {
        for row in rows[table].as_array().unwrap() {
            let row = row.as_object().unwrap();
            let names: Vec<String> = row.keys().map(|name| format!("\"{name}\"")).collect();
            let marks = vec!["?"; row.len()].join(", ");
            let values = row.values().map(|value| match value {
                Value::Null => rusqlite::types::Value::Null,
                Value::Number(number) => rusqlite::types::Value::Integer(number.as_i64().unwrap()),
                Value::String(text) => rusqlite::types::Value::Text(text.clone()),
                other => panic!("{other}"),
            });
            let sql = format!("INSERT INTO \"{table}\" ({}) VALUES ({marks})", names.join(", "));
            database.execute(&sql, rusqlite::params_from_iter(values)).unwrap();
        }
    }
    let (user, session) = (&rows["user"][0], &rows["session"][0]);
    let store = SqliteStore::open(&path).unwrap();
    // 2026-11-30T11:57:52.517Z, the end of the recorded session.
    let end = Timestamp::from_unix_millis(1_796_039_872_517);
    let just_before = Timestamp::from_unix_millis(1_796_039_872_516);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let token = SessionToken::new(text(&session["token"]));
    let (email, id) = (text(&user["email"]), text(&user["id"]));
    let lookups = |now| {
        [
            Lookup::by_email(&email, now),
            Lookup::by_user_id(&id, now),
            Lookup::by_session_token(&token, now),
        ]
    };
    for lookup in lookups(just_before) {
        let Resolution::Found { user: found, session: active, .. } =
            store.resolve(lookup.clone()).await.unwrap()
        else {
            panic!("{lookup:?}");
        };
        assert_eq!(found.id(), text(&user["id"]));
        assert_eq!(found.email(), text(&user["email"]));
        assert_eq!(found.name(), user["name"].as_str());
        assert_eq!(found.role(), user["role"].as_str());
        assert!(!found.email_verified());
        assert!(!found.is_banned_at(just_before));
        assert_eq!(active.id(), text(&session["id"]));
        assert_eq!(active.user_id(), text(&user["id"]));
        assert_eq!(active.expires_at(), end);
        assert_eq!(active.created_at(), Some(Timestamp::from_unix_millis(1_795_435_072_517)));
        assert_eq!(active.token().map(SessionToken::expose), Some(token.expose()));
        assert_eq!(active.active_organization_id(), session["activeOrganizationId"].as_str());
        assert_eq!(active.impersonated_by(), None);
    }
    for lookup in lookups(end) {
        let resolution = store.resolve(lookup).await.unwrap();
        assert!(matches!(resolution, Resolution::NoActiveSession), "{resolution:?}");
    }
}

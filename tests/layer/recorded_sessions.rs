//! Recorded sessions and keys beyond the usual sign-up: anonymous and short sessions,
//! impersonation, API keys, Redis; and tokens that are signed with known keys but are no session
//! tokens.

use std::path::Path;
use support::prelude::*;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};

const SECRET: &str = "golden-secret-Zk3vQ9xT7mB1wR5yL8dH2nJ6";
const BASE_URL: &str = "http://localhost:55463";

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/better-auth");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn recording(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn time(value: &Value) -> Timestamp {
    let time: jiff::Timestamp = text(value).parse().unwrap();
    Timestamp::from_unix_millis(time.as_millisecond())
}

fn user(row: &Value) -> User {
    User::new(text(&row["id"]), text(&row["email"]))
}

fn session(row: &Value) -> Session {
    let id = (text(&row["id"]), text(&row["userId"]));
    let session = Session::new(id.0, id.1, time(&row["expiresAt"]))
        .with_token(SessionToken::new(text(&row["token"])))
        .with_created_at(time(&row["createdAt"]));
    match row["impersonatedBy"].as_str() {
        Some(admin) => session.with_impersonated_by(admin),
        None => session,
    }
}

/// The layer of the recorded deployments at a second.
fn layer(now: i64, store: MemoryStore) -> BetterAuthLayerBuilder {
    BetterAuthLayer::builder()
        .secret(Secret::new(SECRET).unwrap())
        .clock(TestClock::at(at(now)))
        .store(store)
}

/// The session cookie of a `Set-Cookie` header.
fn session_cookie(set_cookie: &Value) -> &str {
    let mut cookies = set_cookie.as_array().unwrap().iter().map(text);
    let good =
        |cookie: &&str| cookie.starts_with("better-auth.session_token=") && !cookie.contains("=;");
    let cookie = cookies.find(good).expect("a session cookie");
    cookie.split(';').next().unwrap()
}

#[tokio::test]
async fn redis_sessions_have_valid_cookies() {
    for name in ["default", "storeInDb", "preserve"] {
        let document = recording(&format!("redis-{name}.json"));
        let first = &document["afterSignUp"];
        let cookies = text(&first["cookies"]);
        let token = cookies.split(['=', '.']).nth(2).unwrap();
        let row = &first["redis"][format!("better-auth:{token}")]["value"];
        let store = MemoryStore::new();
        store.insert_user(user(&row["user"]));
        store.insert_session(session(&row["session"]));
        let now = time(&row["session"]["createdAt"]).as_unix_seconds() + 1;
        let app = App::of(layer(now, store));
        let answer = app.send(Cookie(cookies)).await;
        let ids = (text(&row["user"]["id"]), text(&row["session"]["id"]));
        answer.assert_identity(name, ids.0, ids.1);
        let identity = app.identity();
        let session = identity.session().unwrap();
        assert_eq!(session.token().unwrap().expose(), token, "{name}");
        assert_eq!(session.expires_at(), time(&row["session"]["expiresAt"]));
    }
}

/// The session rows were not recorded, only their users and tokens.
#[tokio::test]
async fn every_sign_in_is_accepted() {
    for name in ["sqlite-nocache.json", "pg-nocache.json"] {
        let document = recording(name);
        let now = time(&document["harvestedAt"]).as_unix_seconds() + 5;
        for way in ["signUp", "signInNoRemember", "anonymous"] {
            let what = format!("{name}: {way}");
            let body = &document[way]["body"];
            let token = text(&body["token"]);
            let user_id = text(&body["user"]["id"]);
            let store = MemoryStore::new();
            store.insert_user(user(&body["user"]));
            let row = Session::new("s", user_id, Timestamp::MAX);
            store.insert_session(row.with_token(SessionToken::new(token)));
            // Another session of the user, which would be chosen if the token were ignored.
            store.insert_session(Session::new("other", user_id, Timestamp::MAX));
            let app = App::of(layer(now, store));
            let cookie = session_cookie(&document[way]["setCookie"]);
            app.accepts(Cookie(cookie), &what, user_id, "s").await;
            let signed = text(&document[way]["headers"]["set-auth-token"]);
            app.accepts(signed, &what, user_id, "s").await;
        }
        // JWTs of an anonymous user, of a session after its sign-out, and with an organization.
        for (what, token) in [
            ("anonymous", &document["anonToken"]["raw"]),
            ("signed out", &document["signOut"]["jwtBefore"]),
            ("organization", &document["getSessionWithOrg"]["headers"]["set-auth-jwt"]),
        ] {
            let claims = text(token).split('.').nth(1).unwrap();
            let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            let store = MemoryStore::new();
            store.insert_user(user(&claims));
            store.insert_session(Session::new("s", text(&claims["sub"]), Timestamp::MAX));
            let keys: KeySet = document["jwks"].to_string().parse().unwrap();
            let layer = layer(now, store).base_url(BASE_URL).key_source(keys);
            let app = App::of(layer);
            app.accepts(text(token), what, text(&claims["id"]), "s").await;
        }
    }
}

#[tokio::test]
async fn api_keys_identify_their_owners() {
    for name in ["sqlite-nocache.json", "pg-nocache.json"] {
        let document = recording(name);
        let now = time(&document["harvestedAt"]).as_unix_seconds() + 5;
        for row in [&document["apiKeyCreate"]["body"], &document["apiKeyServer"]] {
            let owner = &document["signUp"]["body"]["user"];
            let store = MemoryStore::new();
            store.insert_user(user(owner));
            let hash = ApiKeyHash::from_key(text(&row["key"]));
            let mut key = ApiKey::new(text(&row["id"]), text(&row["referenceId"]), hash)
                .with_config_id(text(&row["configId"]))
                .with_permissions_json(&row["permissions"].to_string());
            if !row["expiresAt"].is_null() {
                key = key.with_expires_at(time(&row["expiresAt"]));
            }
            store.insert_api_key(key);
            let app = App::of(layer(now, store).api_keys(ApiKeys::new()));
            let send = async |key: &str| {
                let mut headers = HeaderMap::new();
                headers.insert("x-api-key", HeaderValue::from_str(key).unwrap());
                app.send(headers).await
            };
            let answer = send(text(&row["key"])).await;
            answer.assert_identity(name, text(&owner["id"]), text(&row["id"]));
            let identity = app.identity();
            let key = identity.api_key().unwrap();
            let may_write = row["permissions"].is_object();
            assert_eq!(key.allows("files", "write"), may_write, "{name}");
            assert!(!key.allows("files", "delete"), "{name}");
            let answer = send(&text(&row["key"]).to_lowercase()).await;
            answer.assert_rejected(name, InvalidCredential);
        }
    }
}

/// Better Auth itself rejects these caches: a user field looks like a date, which it reformats.
#[tokio::test]
async fn cache_bytes_are_not_reformatted() {
    for (name, cache) in
        [("chunked-compact.json", CookieCache::compact()), ("chunked-jwe.json", CookieCache::jwe())]
    {
        let document = recording(name);
        let quirk = &document["isoQuirk"];
        let now = time(&document["getSession"]["session"]["createdAt"]).as_unix_seconds() + 1;
        let app = App::of(layer(now, MemoryStore::new()).cookie_cache(cache));
        let answer = app.send(Cookie(text(&quirk["cookieHeader"]))).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let identity = app.identity();
        assert_eq!(identity.credential(), CredentialKind::CookieCache);
        assert_eq!(identity.user().field("when"), Some("2024-01-01T00:00:00Z"));
    }
}

/// The recorded cookie with the recorded SQLite file.
#[tokio::test]
async fn cookie_works_with_recorded_file() {
    let rows = recording("sqlite.rows.json");
    let folder = TemporaryFolder::new();
    let path = folder.path().join("better-auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(&fixture("sqlite.schema.sql")).unwrap();
    for table in ["user", "session"] {
        let row = rows[table][0].as_object().unwrap();
        let names: Vec<String> = row.keys().map(|name| format!("\"{name}\"")).collect();
        let values = row.values().map(|value| match value {
            Value::Null => rusqlite::types::Value::Null,
            Value::Number(number) => rusqlite::types::Value::Integer(number.as_i64().unwrap()),
            other => rusqlite::types::Value::Text(text(other).to_owned()),
        });
        let marks = vec!["?"; row.len()].join(", ");
        let names = names.join(", ");
        let sql = format!("INSERT INTO \"{table}\" ({names}) VALUES ({marks})");
        let values = rusqlite::params_from_iter(values);
        database.execute(&sql, values).unwrap();
    }
    let row = &rows["session"][0];
    let now = time(&row["updatedAt"]).as_unix_seconds() + 1;
    let app = App::of(
        BetterAuthLayer::builder()
            .secret(Secret::new(SECRET).unwrap())
            .clock(TestClock::at(at(now)))
            .store(SqliteStore::open(&path).unwrap()),
    );
    app.accepts(Cookie(text(&rows["cookie"])), "cookie", text(&row["userId"]), text(&row["id"]))
        .await;
    let identity = app.identity();
    let session = identity.session().unwrap();
    let organization = row["activeOrganizationId"].as_str();
    assert_eq!(session.active_organization_id(), organization);
    assert_eq!(session.created_at(), Some(time(&row["createdAt"])));
}

#[tokio::test]
async fn impersonation_is_reported() {
    let attack = &recording("attacks.json")["F_impersonation"];
    let row = &attack["session"];
    let store = MemoryStore::new();
    store.insert_user(user(&attack["jwt"]));
    store.insert_session(session(row));
    let now = time(&row["createdAt"]).as_unix_seconds() + 1;
    let app = App::of(layer(now, store));
    let cookies = attack["setCookie"].as_array().unwrap().iter().map(text);
    let cookies = cookies.map(|cookie| cookie.split(';').next().unwrap());
    let kept: Vec<&str> = cookies.filter(|cookie| !cookie.ends_with('=')).collect();
    assert_eq!(kept.len(), 4);
    app.accepts(Cookie(&kept.join("; ")), "impersonated", text(&row["userId"]), text(&row["id"]))
        .await;
    let identity = app.identity();
    let admin = identity.session().unwrap().impersonated_by();
    assert_eq!(admin, row["impersonatedBy"].as_str());
    // The cookie of the administrator's session is not a session cookie.
    let admin = kept.iter().find(|cookie| cookie.contains("admin_session"));
    app.rejects(Cookie(admin.unwrap()), "admin_session", MissingCredential).await;
}

/// Better Auth keeps accepting the sessions of a user banned by SQL. The layer does not.
#[tokio::test]
async fn ban_in_the_database_counts() {
    let document = recording("sqlite-nocache.json");
    let attack = &recording("attacks.json")["E_banUser"];
    let ban = time(&attack["row"]["banExpires"]);
    let truth = &document["getSession"]["body"];
    for (now, expected) in
        [(ban.as_unix_seconds() - 1, Some(UserBanned)), (ban.as_unix_seconds() + 1, None)]
    {
        let store = MemoryStore::new();
        store.insert_user(user(&truth["user"]).with_ban(Some(ban)));
        store.insert_session(session(&truth["session"]));
        let app = App::of(layer(now, store));
        let answer = app.send(Cookie(text(&document["cookieHeader"]))).await;
        match expected {
            Some(kind) => answer.assert_rejected("banned", kind),
            None => assert_eq!(answer.status, 200),
        }
    }
}

/// The keys of the attacked deployment were not recorded. The same tokens are signed with known
/// keys here, so they are rejected for their type alone.
#[tokio::test]
async fn other_signed_tokens_are_rejected() {
    let (log, _guard) = CapturedLog::start();
    let attacks = recording("attacks.json");
    let signer = Signer::ed25519("k");
    let sign = |typ: Option<&str>, claims: &Value| {
        let mut header = signer.header();
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        signer.sign_raw(&header, &claims.to_string())
    };
    let cache = text(&attacks["B_jwks_cookie_cache"]["token"]);
    let cache = cache.split('.').nth(1).unwrap();
    let cache: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cache).unwrap()).unwrap();
    let invitation = &attacks["B2_signJWT"]["payload"];
    let user_id = text(&cache["sub"]);
    let app = || {
        let store = MemoryStore::new();
        for email in ["dave@example.com", text(&invitation["email"])] {
            store.insert_user(User::new(user_id, email));
        }
        store.insert_session(Session::new("s", user_id, Timestamp::MAX));
        let keys: KeySet = jwks([&signer]).parse().unwrap();
        let layer = layer(1_795_434_245, store).base_url(BASE_URL);
        App::of(layer.key_source(keys))
    };
    let mut session_jwt = invitation.clone();
    session_jwt["sub"] = json!(user_id);
    app().accepts(&sign(None, &session_jwt), "the format of a session JWT", user_id, "s").await;
    let mut for_us = cache.clone();
    for_us["aud"] = json!(BASE_URL);
    for_us["iss"] = json!(BASE_URL);
    let typ = text(&attacks["B_jwks_cookie_cache"]["header"]["typ"]);
    for (what, token, reason) in [
        ("B as it was", sign(Some(typ), &cache), "typ_not_accepted"),
        ("B, typ JWT", sign(Some("JWT"), &cache), "not_a_session_jwt"),
        ("B, no typ", sign(None, &cache), "not_a_session_jwt"),
        ("B, for us", sign(None, &for_us), "not_a_session_jwt"),
        ("B2", sign(None, invitation), "claim_missing: sub"),
    ] {
        log.take();
        app().rejects(&token, what, InvalidCredential).await;
        let text = log.take();
        assert!(text.contains(&format!("reason={reason}")), "{what}: {text}");
    }
}

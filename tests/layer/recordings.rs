//! All recorded credentials of real Better Auth deployments: each identifies the user and session
//! that Better Auth reported.

use std::path::Path;
use support::prelude::*;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/better-auth")
}

/// One recorded deployment with one user.
struct Recording {
    name: String,
    document: Value,
}

impl Recording {
    fn read(name: &str) -> Self {
        let path = fixtures().join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.to_owned(), document: serde_json::from_str(&text).unwrap() }
    }

    /// All files with a session cookie.
    fn all() -> Vec<Self> {
        let mut names: Vec<String> = std::fs::read_dir(fixtures())
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                Some(name.strip_suffix(".json")?.to_owned())
            })
            .collect();
        names.sort();
        let all = names.iter().map(|name| Self::read(name));
        let all: Vec<_> =
            all.filter(|recording| recording.document["cookieHeader"].is_string()).collect();
        assert_eq!(all.len(), 21, "recordings");
        all
    }

    fn text(&self, name: &str) -> &str {
        let text = self.document[name].as_str();
        text.unwrap_or_else(|| panic!("{}: no {name}", self.name))
    }

    /// The session that Better Auth reported for the cookie.
    fn truth(&self) -> &Value {
        let answer = &self.document["getSession"];
        if answer["body"].is_object() { &answer["body"] } else { answer }
    }

    fn now(&self) -> Timestamp {
        time(&self.truth()["session"]["createdAt"])
    }

    fn ring(&self) -> SecretRing {
        let Some(secrets) = self.document["secrets"].as_array() else {
            return SecretRing::new(Secret::new(self.text("secret")).unwrap());
        };
        let list = secrets
            .iter()
            .map(|entry| format!("{}:{}", entry["version"], entry["value"].as_str().unwrap()));
        SecretRing::parse(&list.collect::<Vec<_>>().join(",")).unwrap()
    }

    fn base_url(&self) -> &str {
        self.document["baseURL"].as_str().unwrap_or("http://localhost:55463")
    }

    /// The rows of the database.
    fn store(&self) -> MemoryStore {
        let (row, session) = (&self.truth()["user"], &self.truth()["session"]);
        let store = MemoryStore::new();
        let mut user = User::new(text(&row["id"]), text(&row["email"]))
            .with_email_verified(row["emailVerified"] == true);
        if let Some(name) = row["name"].as_str() {
            user = user.with_name(name);
        }
        if let Some(role) = row["role"].as_str() {
            user = user.with_role(role);
        }
        store.insert_user(user);
        store.insert_session(
            Session::new(
                text(&session["id"]),
                text(&session["userId"]),
                time(&session["expiresAt"]),
            )
            .with_token(SessionToken::new(text(&session["token"])))
            .with_created_at(time(&session["createdAt"])),
        );
        store
    }

    fn builder(&self, store: MemoryStore) -> BetterAuthLayerBuilder {
        let mut builder = BetterAuthLayer::builder()
            .secrets(self.ring())
            .base_url(self.base_url())
            .clock(TestClock::at(at(self.now().as_unix_seconds() + 1)))
            .store(store);
        if let Some(prefix) = self.document["options"]["advanced"]["cookiePrefix"].as_str() {
            builder = builder.cookie_prefix(prefix);
        }
        let keys = match &self.document["jwks"] {
            Value::Object(jwks) => serde_json::to_string(jwks).unwrap(),
            _ => r#"{"keys":[]}"#.to_owned(),
        };
        builder.key_source(keys.parse::<KeySet>().unwrap())
    }

    fn app(&self) -> App {
        App::of(self.builder(self.store()))
    }

    /// The kind of cookie cache that the deployment writes.
    fn cache(&self) -> Option<CookieCache> {
        let options = &self.document["options"];
        let is_signed_by_jwks = options["jwtOpts"]["sessionCookieCache"] == true;
        let cache = match (options["cache"]["strategy"].as_str(), self.name.as_str()) {
            (Some("jwt"), _) if is_signed_by_jwks => CookieCache::jwks(),
            (Some("jwt"), _) => CookieCache::jwt(),
            (Some("jwe"), _) | (_, "chunked-jwe" | "stateless-nodb") => CookieCache::jwe(),
            (Some("compact"), _) | (_, "chunked-compact") => CookieCache::compact(),
            _ => return None,
        };
        Some(match options["cache"]["version"].as_str() {
            Some(version) => cache.version(version),
            None => cache,
        })
    }

    fn assert_truth(&self, identity: &Identity, what: &str, kind: CredentialKind) {
        let what = format!("{}: {what}", self.name);
        let (row, truth) = (&self.truth()["user"], &self.truth()["session"]);
        assert_eq!(identity.credential(), kind, "{what}");
        let user = identity.user();
        assert_eq!(user.id(), text(&row["id"]), "{what}");
        assert_eq!(user.email(), text(&row["email"]), "{what}");
        assert_eq!(user.email_verified(), row["emailVerified"] == true, "{what}");
        assert_eq!(user.name(), row["name"].as_str(), "{what}");
        assert_eq!(user.role(), row["role"].as_str(), "{what}");
        let session = identity.session().expect("a session");
        assert_eq!(session.id(), text(&truth["id"]), "{what}");
        assert_eq!(session.user_id(), text(&truth["userId"]), "{what}");
        assert_eq!(session.token().unwrap().expose(), text(&truth["token"]), "{what}");
        assert_eq!(session.expires_at(), time(&truth["expiresAt"]), "{what}");
        assert_eq!(session.created_at(), Some(time(&truth["createdAt"])), "{what}");
        assert_eq!(session.impersonated_by(), truth["impersonatedBy"].as_str(), "{what}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn time(value: &Value) -> Timestamp {
    let time: jiff::Timestamp = value.as_str().expect("a time").parse().unwrap();
    Timestamp::from_unix_millis(time.as_millisecond())
}

#[tokio::test]
async fn cookies_identify_their_sessions() {
    for recording in Recording::all() {
        let app = recording.app();
        for header in ["cookieHeader", "cookieHeaderAfterGetSession"] {
            let Some(cookies) = recording.document[header].as_str() else {
                continue;
            };
            let answer = app.send(Cookie(cookies)).await;
            assert_eq!(answer.status, 200, "{}: {header}: {answer:?}", recording.name);
            let kind = CredentialKind::SessionCookie;
            recording.assert_truth(&app.identity(), header, kind);
        }
    }
}

#[tokio::test]
async fn jwts_of_all_algorithms_work() {
    let mut count = 0;
    for recording in Recording::all() {
        let app = recording.app();
        let document = &recording.document;
        let tokens = [&document["token"]["body"]["token"], &document["setAuthJwt"]];
        for token in tokens.into_iter().filter_map(Value::as_str) {
            let answer = app.send(token).await;
            assert_eq!(answer.status, 200, "{}: {answer:?}", recording.name);
            recording.assert_truth(&app.identity(), "jwt", CredentialKind::Jwt);
            count += 1;
        }
    }
    assert!(count >= 36, "{count}");
}

#[tokio::test]
async fn bearer_tokens_match_better_auth() {
    let mut count = 0;
    for recording in Recording::all() {
        let Some(signed) = recording.document["setAuthToken"].as_str() else {
            continue;
        };
        count += 1;
        let app = recording.app();
        let encoded = signed.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
        for value in [signed, &encoded] {
            let answer = app.send(value).await;
            assert_eq!(answer.status, 200, "{}: {answer:?}", recording.name);
            let kind = CredentialKind::SignedSessionToken;
            recording.assert_truth(&app.identity(), "signed", kind);
        }
        let (token, signature) = signed.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        for value in [
            token.to_owned(),
            format!("{token}.{}", signature.trim_end_matches('=')),
            format!("{token}.{other}{}", &signature[1..]),
            format!("{token}x.{signature}"),
        ] {
            app.rejects(&value, &value, InvalidCredential).await;
        }
        let raw = App::of(recording.builder(recording.store()).accept_raw_session_tokens());
        assert_eq!(raw.send(token).await.status, 200);
        recording.assert_truth(&raw.identity(), "raw", CredentialKind::RawSessionToken);
    }
    assert_eq!(count, 18);
}

/// The store is empty, so the identity comes from the cache.
#[tokio::test]
async fn cookie_caches_identify_sessions() {
    let mut count = 0;
    for recording in Recording::all() {
        let Some(cache) = recording.cache() else {
            continue;
        };
        count += 1;
        let believed = || {
            let builder = recording.builder(MemoryStore::new());
            builder.cookie_cache(cache.clone())
        };
        let cookies = recording.text("cookieHeader");
        let app = App::of(believed());
        let answer = app.send(Cookie(cookies)).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", recording.name);
        recording.assert_truth(&app.identity(), "cache", CredentialKind::CookieCache);

        let refused = InvalidCredential;
        let unbelieved = App::of(recording.builder(MemoryStore::new()));
        unbelieved.rejects(Cookie(cookies), &recording.name, refused).await;
        let (session, cache): (Vec<&str>, Vec<&str>) =
            cookies.split("; ").partition(|cookie| !cookie.contains("session_data"));
        app.rejects(Cookie(&cache.join("; ")), &recording.name, MissingCredential).await;
        app.rejects(Cookie(&session.join("; ")), &recording.name, refused).await;
        let other_version = App::of(
            recording
                .builder(MemoryStore::new())
                .cookie_cache(recording.cache().unwrap().version("other")),
        );
        other_version.rejects(Cookie(cookies), &recording.name, refused).await;
        let later = recording.now().as_unix_seconds() + 8 * 24 * 3600;
        let late = App::of(believed().clock(TestClock::at(at(later))));
        late.rejects(Cookie(cookies), &recording.name, refused).await;
        // Every character is signed. The test changes a sample.
        let data = cookies.find("session_data").unwrap();
        let value = data + cookies[data..].find('=').unwrap() + 1;
        let end = cookies[value..].find(';').map_or(cookies.len(), |end| value + end);
        for at in (value..end).step_by(((end - value) / 23).max(1)) {
            let mut bytes = cookies.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            app.rejects(Cookie(&changed), &format!("{} at {at}", recording.name), refused).await;
        }
    }
    assert_eq!(count, 12);
}

#[tokio::test]
async fn cookie_names_are_derived() {
    let plain = Recording::read("sqlite-nocache");
    let refused = MissingCredential;
    let https = App::of(plain.builder(plain.store()).base_url("https://auth.example.com"));
    https.rejects(Cookie(plain.text("cookieHeader")), "a plain name behind https", refused).await;
    for name in ["secure-https", "secure-prefix-subdomain"] {
        let recording = Recording::read(name);
        let cookies = recording.text("cookieHeader");
        let stripped = cookies.replace("__Secure-", "");
        recording.app().rejects(Cookie(&stripped), name, refused).await;
        let other = App::of(recording.builder(recording.store()).cookie_prefix("other"));
        other.rejects(Cookie(cookies), name, refused).await;
    }
}

#[tokio::test]
async fn old_secret_is_opt_in() {
    let old = Recording::read("sqlite-nocache");
    let rotated = Recording::read("rotation-v2-jwe").ring();
    let cookies = old.text("cookieHeader");
    let builder = || old.builder(old.store()).secrets(rotated.clone());
    let answer = App::of(builder()).send(Cookie(cookies)).await;
    answer.assert_rejected("an old cookie", InvalidCredential);
    let lenient = App::of(builder().accept_previous_secrets());
    assert_eq!(lenient.send(Cookie(cookies)).await.status, 200);
}

/// OAuth access tokens are signed with the same keys and are rejected. The user's own token is
/// accepted.
#[tokio::test]
async fn oauth_tokens_are_rejected() {
    let document = Recording::read("oauth-provider").document;
    let mut refused = 0;
    let store = MemoryStore::new();
    let user_id = text(&document["user"]["id"]);
    store.insert_user(User::new(user_id.as_str(), "carol@example.com"));
    store.insert_session(Session::new("s", user_id.as_str(), Timestamp::MAX));
    let keys: KeySet = document["jwks"].to_string().parse().unwrap();
    let builder = BetterAuthLayer::builder()
        .base_url(document["baseURL"].as_str().unwrap())
        .key_source(keys)
        .clock(TestClock::at(at(1_795_434_547)))
        .audience("http://localhost:55463")
        .audience("https://api.example.com")
        .store(store);
    let app = App::of(builder);
    for grant in ["withResource", "withoutResource"] {
        for name in ["access_token", "id_token"] {
            let token = document[grant]["tokens"][name].as_str().unwrap();
            app.rejects(token, name, InvalidCredential).await;
            refused += 1;
        }
    }
    let machine = document["clientCredentials"]["body"]["access_token"].as_str();
    app.rejects(machine.unwrap(), "of a machine", InvalidCredential).await;
    assert_eq!(refused, 4);
}

#[tokio::test]
async fn recorded_attacks_are_rejected() {
    let attacks = Recording::read("attacks").document;
    let secret = Secret::new(attacks["secret"].as_str().unwrap()).unwrap();
    let cache_token = attacks["B_jwks_cookie_cache"]["token"].as_str().unwrap();
    let claims: Value = serde_json::from_slice(
        &URL_SAFE_NO_PAD.decode(cache_token.split('.').nth(1).unwrap()).unwrap(),
    )
    .unwrap();
    let store = MemoryStore::new();
    for (id, email) in
        [(claims["sub"].as_str().unwrap(), "dave@example.com"), ("victim", "victim@corp.example")]
    {
        store.insert_user(User::new(id, email));
        store.insert_session(Session::new(format!("s-{id}"), id, Timestamp::MAX));
    }
    let app = App::of(
        BetterAuthLayer::builder()
            .secret(secret)
            .clock(TestClock::at(at(1_795_434_245)))
            .accept_raw_session_tokens()
            .store(store),
    );
    let refused = InvalidCredential;
    let mut bearers = vec![
        attacks["A_change_email"]["token"].as_str().unwrap(),
        attacks["A4_jwt_reencoded_as_signed_cookie"]["cookie"].as_str().unwrap(),
        cache_token,
    ];
    bearers.extend(
        attacks["C_bearer"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|key| key.len() != 32),
    );
    for bearer in bearers {
        app.rejects(bearer, bearer, refused).await;
    }
    let cookies = attacks["F_impersonation"]["setCookie"].as_array().unwrap();
    let values = cookies.iter().filter_map(|cookie| {
        let (name, rest) = cookie.as_str()?.split_once('=')?;
        let value = rest.split(';').next()?;
        (!value.is_empty() && name != "better-auth.session_token").then(|| value.to_owned())
    });
    let mut values: Vec<String> = values.collect();
    assert_eq!(values.len(), 3);
    values.push(text(&attacks["A4_jwt_reencoded_as_signed_cookie"]["cookie"]));
    for value in values {
        let cookie = format!("better-auth.session_token={value}");
        app.rejects(Cookie(&cookie), &value, refused).await;
    }
}

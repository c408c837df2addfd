//! No credential in logs, `Debug` output and responses.

use std::fmt::Debug;
use support::prelude::*;

use super::fixtures::{COOKIE, Counting, TOKEN, cookie, headers};

const KEY: &str = "app_KeyThatNobodyMaySee";

/// All parts of the credentials that are secret.
fn forbidden() -> Vec<String> {
    let signed = signed_session_token(TOKEN);
    let (_, signature) = signed.rsplit_once('.').unwrap();
    vec![
        TOKEN.to_owned(),
        TOKEN[..16].to_owned(),
        signature.to_owned(),
        signature[..12].to_owned(),
        KEY.to_owned(),
        "KeyThatNobody".to_owned(),
        ApiKeyHash::from_key(KEY).as_str().to_owned(),
        SECRET.to_owned(),
        "cacheThatNobodyMaySee".to_owned(),
        "@example.com".to_owned(),
    ]
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in forbidden() {
        assert!(!text.contains(&secret), "{what}: {secret:?} is seen in: {text}");
    }
}

#[tokio::test]
async fn credentials_are_not_logged() {
    let (log, _guard) = CapturedLog::start();
    let good = Counting::new();
    let key = ApiKey::new("key_ada", "usr_ada", ApiKeyHash::from_key(KEY));
    good.store().insert_api_key(key);
    let wrong = store_fn(|_| async {
        let session = Session::new("s", "usr_eve", Timestamp::MAX);
        let session = session.with_token(SessionToken::new("another-token-than-was-asked"));
        Ok(Resolution::found(User::new("usr_eve", "eve@example.com"), session))
    });
    let down = store_fn(|_| async { Err(StoreErrorKind::Unavailable.into()) });
    let settings = || ApiKeys::new();
    let gates = [
        App::of(builder(good.clone()).api_keys(settings()).cookie_cache(CookieCache::jwe())),
        App::of(builder(good).accept_raw_session_tokens()),
        App::of(builder(wrong)),
        App::of(builder(down)),
    ];
    let signed = signed_session_token(TOKEN);
    let other = signed_with(TOKEN, "another-secret-altogether");
    let sent: Vec<(&'static str, String)> = vec![
        ("cookie", cookie()),
        ("cookie", format!("{COOKIE}={other}")),
        ("cookie", format!("{}; {COOKIE}=x", cookie())),
        ("cookie", format!("{}; better-auth.session_data=cacheThatNobodyMaySee", cookie())),
        ("authorization", format!("Bearer {signed}")),
        ("authorization", format!("Bearer {other}")),
        ("authorization", format!("Bearer {TOKEN}")),
        ("authorization", format!("Bearer {TOKEN}.{TOKEN}.{TOKEN}")),
        ("x-api-key", KEY.to_owned()),
        ("x-api-key", format!("{KEY} {KEY}")),
        ("x-api-key", format!("{KEY}x")),
    ];
    let mut answers = 0;
    for app in &gates {
        for (name, value) in &sent {
            let answer = app.send(headers(&[(*name, value.as_bytes())])).await;
            assert_clean("an answer", &format!("{answer:?}"));
            answers += usize::from(answer.kind != Some(MissingCredential));
        }
    }
    assert!(answers > 30, "{answers}");
    let text = log.text();
    assert!(text.lines().count() > 30, "{text}");
    assert_clean("the log", &text);
}

#[test]
fn debug_shows_no_credential() {
    let shown = |value: &dyn Debug| assert_clean("Debug", &format!("{value:?} {value:#?}"));
    let token = SessionToken::new(TOKEN);
    let hash = ApiKeyHash::from_key(KEY);
    let now = Timestamp::UNIX_EPOCH;
    let session = Session::new("s", "u", now).with_token(token.clone());
    shown(&session);
    shown(&hash);
    shown(&Lookup::by_session_token(&token, now));
    shown(&Lookup::by_api_key(&hash, now));
    shown(Lookup::by_api_key(&hash, now).key());
    let key = ApiKey::new("k", "u", hash.clone()).with_name("n");
    shown(&key);
    let user = User::new("u", "ada@example.com").with_field("phone", KEY);
    shown(&user);
    shown(&Resolution::found_api_key(user, key));
    let builder = builder(Counting::new()).api_keys(ApiKeys::new());
    let layer = builder.cookie_cache(CookieCache::jwe()).build().unwrap();
    shown(&layer);
    shown(layer.authenticator());
    assert!(format!("{:?}", layer.authenticator()).contains("SecretJwtVerifier"));
    shown(&RemoteKeySource::new("https://app.example.com/jwks").unwrap());
    // An issuer may publish a private key by mistake. Only its id is logged.
    let mut jwk = Signer::ed25519("k").jwk();
    jwk["d"] = KEY.into();
    let set: KeySet = serde_json::json!({ "keys": [jwk] }).to_string().parse().unwrap();
    shown(&set);
    let set: KeySet = jwks([&Signer::ed25519("k")]).parse().unwrap();
    assert!(format!("{set:?}").contains('k'));
}

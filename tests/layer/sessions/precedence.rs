//! The precedence of credentials, and tokens whose row has changed.

use super::fixtures::{Counting, TOKEN, cookie, headers, layer};
use support::prelude::*;

const INVALID: RejectionKind = InvalidCredential;

#[tokio::test]
async fn bearer_precedes_key_and_cookie() {
    let store = Counting::new();
    let key = ApiKey::new("key_ada", "usr_ada", ApiKeyHash::from_key("app_key"));
    store.store().insert_api_key(key);
    let app = App::of(builder(store).api_keys(ApiKeys::new()));
    let cookie = cookie();
    let (jwt, signed) = (
        format!("Bearer {}", token_for("ada@example.com")),
        format!("Bearer {}", signed_session_token(TOKEN)),
    );
    let bearer = |value: &str| ("authorization", value.as_bytes().to_vec());
    let api_key = |value: &str| ("x-api-key", value.as_bytes().to_vec());
    let good_cookie = ("cookie", cookie.clone().into_bytes());
    for (pairs, expected) in [
        (
            vec![bearer(&jwt), api_key("app_key"), good_cookie.clone()],
            Some(CredentialKind::SecretJwt),
        ),
        (vec![bearer(&signed), api_key("x")], Some(CredentialKind::SignedSessionToken)),
        (vec![api_key("app_key"), good_cookie.clone()], Some(CredentialKind::ApiKey)),
        (
            vec![bearer("Basic dXNlcjpwYXNz"), good_cookie.clone()],
            Some(CredentialKind::SessionCookie),
        ),
        (vec![bearer("Basic dXNlcjpwYXNz"), api_key("app_key")], Some(CredentialKind::ApiKey)),
        (vec![bearer("Bearer nonsense"), good_cookie.clone()], None),
        (vec![bearer("Bearer"), good_cookie.clone()], None),
        (vec![bearer("Bearer a.b.c"), api_key("app_key"), good_cookie.clone()], None),
        (vec![api_key("nonsense"), good_cookie.clone()], None),
        (vec![api_key(""), good_cookie.clone()], None),
        (vec![api_key("app_key"), api_key("app_key"), good_cookie.clone()], None),
        (vec![bearer(&jwt), bearer(&jwt), good_cookie.clone()], None),
    ] {
        let borrowed: Vec<_> =
            pairs.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let answer = app.send(headers(&borrowed)).await;
        match expected {
            Some(kind) => {
                assert_eq!(answer.status, 200, "{pairs:?}");
                assert_eq!(app.identity().credential(), kind);
            }
            None => answer.assert_rejected(&format!("{pairs:?}"), INVALID),
        }
    }
}

#[tokio::test]
async fn raw_tokens_are_opt_in() {
    let store = Counting::new();
    let app = App::of(builder(store.clone()));
    app.rejects(TOKEN, "raw", INVALID).await;
    assert_eq!(store.count(), 0);
    let open = App::of(builder(store.clone()).accept_raw_session_tokens());
    open.accepts(TOKEN, "raw", "usr_ada", "ses_ada").await;
    assert_eq!(open.identity().credential(), CredentialKind::RawSessionToken);
    assert_eq!(store.count(), 1);
    // Keys of other records in the same storage.
    for token in [
        "active-sessions-8mkG4ZgqR0tCYOOlqk2IKDGiDec3sfDQ",
        "verification~reset-password~3jV69eDqTTjtxUB5dh8M064w",
        "usr_ada",
        "XN6DtGUWabcdefghijklmnopqrstuvD",
        "XN6DtGUWabcdefghijklmnopqrstuv-_",
        "%58N6DtGUWabcdefghijklmnopqrstuv%00",
        "==",
    ] {
        open.rejects(token, token, INVALID).await;
    }
    assert_eq!(store.count(), 1);
}

/// The result of a lookup.
type Answer = Box<dyn Fn() -> Result<Resolution, StoreError> + Send + Sync>;

#[tokio::test]
async fn store_result_decides() {
    let session = |user: &str, token: &str, expires_at: i64| {
        Session::new("s", user, at(expires_at)).with_token(SessionToken::new(token))
    };
    let user = || User::new("usr_ada", "ada@example.com");
    let found = |user: User, session: Session| Ok(Resolution::found(user, session));
    let table: Vec<(&str, Answer, Option<RejectionKind>)> = vec![
        ("good", Box::new(move || found(user(), session("usr_ada", TOKEN, NOW + 1))), None),
        ("no session", Box::new(|| Ok(Resolution::NoActiveSession)), Some(INVALID)),
        ("its user is gone", Box::new(|| Ok(Resolution::UserNotFound)), Some(INVALID)),
        (
            "ended, although the store returns it",
            Box::new(move || found(user(), session("usr_ada", TOKEN, NOW))),
            Some(INVALID),
        ),
        (
            "banned",
            Box::new(move || found(user().with_ban(None), session("usr_ada", TOKEN, NOW + 1))),
            Some(UserBanned),
        ),
        (
            "another session",
            Box::new(move || found(user(), session("usr_ada", &TOKEN.to_lowercase(), NOW + 1))),
            Some(Unavailable),
        ),
        (
            "another user's session",
            Box::new(move || found(user(), session("usr_eve", TOKEN, NOW + 1))),
            Some(Unavailable),
        ),
        (
            "a session without its token",
            Box::new(move || found(user(), Session::new("s", "usr_ada", Timestamp::MAX))),
            Some(Unavailable),
        ),
        (
            "an API key",
            Box::new(move || {
                let key = ApiKey::new("k", "usr_ada", ApiKeyHash::from_key(TOKEN));
                Ok(Resolution::found_api_key(user(), key))
            }),
            Some(Unavailable),
        ),
        ("nothing at all", Box::new(|| Err(StoreErrorKind::Unavailable.into())), Some(Unavailable)),
    ];
    for (what, answer, expected) in table {
        let app = App::of(builder(store_fn(move |_| std::future::ready(answer()))));
        let answer = app.send(Cookie(&cookie())).await;
        match expected {
            None => answer.assert_identity(what, "usr_ada", "s"),
            Some(kind) => answer.assert_rejected(what, kind),
        }
    }
}

#[tokio::test]
async fn no_secret_means_no_signature() {
    let (log, _guard) = CapturedLog::start();
    let app = App::of(
        BetterAuthLayer::builder()
            .clock(clock())
            .base_url("http://localhost:3000")
            .store(Counting::new()),
    );
    app.rejects(Cookie(&cookie()), "a cookie is not looked at", MissingCredential).await;
    for token in [signed_session_token(TOKEN), token_for("ada@example.com")] {
        log.take();
        app.rejects(&token, "signed", INVALID).await;
        let text = log.take();
        assert!(text.contains("reason=secret_missing"), "{text}");
        assert!(text.contains("BETTER_AUTH_SECRET"), "{text}");
    }
}

#[tokio::test]
async fn credential_kinds_can_be_disabled() {
    let without = App::of(layer().without_session_tokens());
    without.rejects(Cookie(&cookie()), "cookie", MissingCredential).await;
    without.rejects(&signed_session_token(TOKEN), "token", INVALID).await;
    assert_eq!(without.send(&token_for("ada@example.com")).await.status, 200);

    let without = App::of(layer().without_secret_jwts());
    without.rejects(&token_for("ada@example.com"), "jwt", INVALID).await;
    assert_eq!(without.send(Cookie(&cookie())).await.status, 200);
}

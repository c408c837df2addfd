//! Which of several credentials counts, and what becomes of a token whose row is not what it was.

use better_auth_layer::{
    ApiKey, ApiKeyHash, ApiKeys, BetterAuthLayer, CredentialKind, RejectionKind, Resolution,
    Session, SessionToken, StoreError, StoreErrorKind, Timestamp, User, store_fn,
};
use support::captured_log::CapturedLog;
use support::gate::{Gate, builder};
use support::test_clock::{NOW, TestClock};
use support::token::{signed_session_token, token_for};

use super::world::{Counting, TOKEN, cookie, headers, layer};

const INVALID: RejectionKind = RejectionKind::InvalidCredential;

#[tokio::test]
async fn bearer_goes_before_api_key_before_cookie_and_a_bad_one_is_final() {
    let store = Counting::new();
    let key = ApiKey::new("key_ada", "usr_ada", ApiKeyHash::from_key("app_key"));
    store.store().insert_api_key(key);
    let gate = Gate::of(builder(store).api_keys(ApiKeys::new()));
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
        (
            vec![bearer(&signed), api_key("x")],
            Some(CredentialKind::SignedSessionToken),
        ),
        (
            vec![api_key("app_key"), good_cookie.clone()],
            Some(CredentialKind::ApiKey),
        ),
        (
            vec![bearer("Basic dXNlcjpwYXNz"), good_cookie.clone()],
            Some(CredentialKind::SessionCookie),
        ),
        (
            vec![bearer("Basic dXNlcjpwYXNz"), api_key("app_key")],
            Some(CredentialKind::ApiKey),
        ),
        (vec![bearer("Bearer nonsense"), good_cookie.clone()], None),
        (vec![bearer("Bearer"), good_cookie.clone()], None),
        (
            vec![
                bearer("Bearer a.b.c"),
                api_key("app_key"),
                good_cookie.clone(),
            ],
            None,
        ),
        (vec![api_key("nonsense"), good_cookie.clone()], None),
        (vec![api_key(""), good_cookie.clone()], None),
        (
            vec![api_key("app_key"), api_key("app_key"), good_cookie.clone()],
            None,
        ),
        (vec![bearer(&jwt), bearer(&jwt), good_cookie.clone()], None),
    ] {
        let borrowed: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (*name, value.as_slice()))
            .collect();
        let answer = gate.send_headers(headers(&borrowed)).await;
        match expected {
            Some(kind) => {
                assert_eq!(answer.status, 200, "{pairs:?}");
                assert_eq!(gate.identity().credential(), kind);
            }
            None => answer.assert_refused(&format!("{pairs:?}"), INVALID),
        }
    }
}

#[tokio::test]
async fn raw_tokens_are_refused_unless_they_are_asked_for() {
    let store = Counting::new();
    let gate = Gate::of(builder(store.clone()));
    gate.send(TOKEN).await.assert_refused("raw", INVALID);
    assert_eq!(store.count(), 0);
    let open = Gate::of(builder(store.clone()).accept_raw_session_tokens());
    open.send(TOKEN)
        .await
        .assert_identity("raw", "usr_ada", "ses_ada");
    assert_eq!(
        open.identity().credential(),
        CredentialKind::RawSessionToken
    );
    assert_eq!(store.count(), 1);
    // Names of other things that some storage has under the same keys.
    for token in [
        "active-sessions-8mkG4ZgqR0tCYOOlqk2IKDGiDec3sfDQ",
        "verification~reset-password~3jV69eDqTTjtxUB5dh8M064w",
        "usr_ada",
        "XN6DtGUWabcdefghijklmnopqrstuvD",
        "XN6DtGUWabcdefghijklmnopqrstuv-_",
        "%58N6DtGUWabcdefghijklmnopqrstuv%00",
        "==",
    ] {
        open.send(token).await.assert_refused(token, INVALID);
    }
    assert_eq!(store.count(), 1);
}

/// What a store says, each time it is asked.
type Answer = Box<dyn Fn() -> Result<Resolution, StoreError> + Send + Sync>;

#[tokio::test]
async fn what_the_store_says_decides() {
    let session = |user: &str, token: &str, expires_at: i64| {
        Session::new("s", user, Timestamp::from_unix_seconds(expires_at))
            .with_token(SessionToken::new(token))
    };
    let user = || User::new("usr_ada", "ada@example.com");
    let found = |user: User, session: Session| Ok(Resolution::found(user, session));
    let table: Vec<(&str, Answer, Option<RejectionKind>)> = vec![
        (
            "good",
            Box::new(move || found(user(), session("usr_ada", TOKEN, NOW + 1))),
            None,
        ),
        (
            "no session",
            Box::new(|| Ok(Resolution::NoActiveSession)),
            Some(INVALID),
        ),
        (
            "its user is gone",
            Box::new(|| Ok(Resolution::UserNotFound)),
            Some(INVALID),
        ),
        (
            "ended, whatever the store says",
            Box::new(move || found(user(), session("usr_ada", TOKEN, NOW))),
            Some(INVALID),
        ),
        (
            "banned",
            Box::new(move || found(user().with_ban(None), session("usr_ada", TOKEN, NOW + 1))),
            Some(RejectionKind::UserBanned),
        ),
        (
            "another session",
            Box::new(move || found(user(), session("usr_ada", &TOKEN.to_lowercase(), NOW + 1))),
            Some(RejectionKind::Unavailable),
        ),
        (
            "another user's session",
            Box::new(move || found(user(), session("usr_eve", TOKEN, NOW + 1))),
            Some(RejectionKind::Unavailable),
        ),
        (
            "a session without its token",
            Box::new(move || found(user(), Session::new("s", "usr_ada", Timestamp::MAX))),
            Some(RejectionKind::Unavailable),
        ),
        (
            "an API key",
            Box::new(move || {
                let key = ApiKey::new("k", "usr_ada", ApiKeyHash::from_key(TOKEN));
                Ok(Resolution::found_api_key(user(), key))
            }),
            Some(RejectionKind::Unavailable),
        ),
        (
            "nothing at all",
            Box::new(|| Err(StoreErrorKind::Unavailable.into())),
            Some(RejectionKind::Unavailable),
        ),
    ];
    for (what, answer, expected) in table {
        let gate = Gate::of(builder(store_fn(move |_| std::future::ready(answer()))));
        let answer = gate.send_cookie(&cookie()).await;
        match expected {
            None => answer.assert_identity(what, "usr_ada", "s"),
            Some(kind) => answer.assert_refused(what, kind),
        }
    }
}

#[tokio::test]
async fn without_a_secret_no_signature_is_good() {
    let (log, _guard) = CapturedLog::start();
    let gate = Gate::of(
        BetterAuthLayer::builder()
            .clock(TestClock::new())
            .base_url("http://localhost:3000")
            .store(Counting::new()),
    );
    let answer = gate.send_cookie(&cookie()).await;
    answer.assert_refused(
        "a cookie is not looked at",
        RejectionKind::MissingCredential,
    );
    for token in [signed_session_token(TOKEN), token_for("ada@example.com")] {
        log.take();
        gate.send(&token).await.assert_refused("signed", INVALID);
        let text = log.take();
        assert!(text.contains("reason=secret_missing"), "{text}");
        assert!(text.contains("BETTER_AUTH_SECRET"), "{text}");
    }
}

#[tokio::test]
async fn credentials_can_be_switched_off() {
    let without = Gate::of(layer().without_session_tokens());
    let answer = without.send_cookie(&cookie()).await;
    answer.assert_refused("cookie", RejectionKind::MissingCredential);
    without
        .send(&signed_session_token(TOKEN))
        .await
        .assert_refused("token", INVALID);
    assert_eq!(
        without.send(&token_for("ada@example.com")).await.status,
        200
    );

    let without = Gate::of(layer().without_secret_jwts());
    without
        .send(&token_for("ada@example.com"))
        .await
        .assert_refused("jwt", INVALID);
    assert_eq!(without.send_cookie(&cookie()).await.status, 200);
}

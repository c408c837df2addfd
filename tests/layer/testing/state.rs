//! The next request sees every change.

use RejectionKind::{InvalidCredential, NoActiveSession, UserBanned, UserNotFound};
use better_auth_layer::testing::{TestClock, TestSession};
use support::prelude::*;

use super::{accept, refuse, send};

fn issuer_with_session() -> (TestDeployment, TestSession) {
    let issuer = TestDeployment::new();
    let session = issuer.user("ada@example.com").create().sign_in();
    (issuer, session)
}

/// The credentials of a session that need a lookup, and the rejection of each after the session's
/// end.
fn by_session(session: &TestSession) -> [(Credential, RejectionKind); 5] {
    [
        (session.cookie(), InvalidCredential),
        (session.signed_token(), InvalidCredential),
        (session.raw_token(), InvalidCredential),
        (session.jwt().mint(), NoActiveSession),
        (session.secret_jwt().mint(), NoActiveSession),
    ]
}

async fn refuse_all(issuer: &TestDeployment, session: &TestSession) {
    for (credential, kind) in by_session(session) {
        refuse(issuer, &format!("{credential:?}"), &credential, kind).await;
    }
}

#[tokio::test]
async fn sign_out_ends_one_session() {
    let (issuer, session) = issuer_with_session();
    let other = session.user().sign_in();
    session.sign_out();
    session.sign_out();
    refuse(&issuer, "cookie", &session.cookie(), InvalidCredential).await;
    let bound = session.jwt().in_session().mint();
    refuse(&issuer, "bound to it", &bound, NoActiveSession).await;
    accept(&issuer, &other.cookie()).await;
    accept(&issuer, &session.jwt().mint()).await;

    other.sign_out();
    refuse_all(&issuer, &session).await;
    let stale = accept(&issuer, &session.cookie_cache()).await;
    assert_eq!(stale.credential(), CredentialKind::CookieCache);
}

#[tokio::test]
async fn sign_out_everywhere_ends_all() {
    let (issuer, session) = issuer_with_session();
    let other = session.user().sign_in();
    let bob = issuer.user("bob@example.com").create().sign_in();
    session.user().sign_out_everywhere();
    refuse_all(&issuer, &session).await;
    refuse_all(&issuer, &other).await;
    accept(&issuer, &bob.cookie()).await;
    accept(&issuer, &session.user().sign_in().cookie()).await;
}

#[tokio::test]
async fn ban_ends_sessions_until_lifted() {
    let (issuer, session) = issuer_with_session();
    let key = session.user().api_key().create();
    session.user().ban();
    refuse_all(&issuer, &session).await;
    refuse(&issuer, "API key", &key.credential(), UserBanned).await;
    let later = session.user().sign_in();
    refuse(&issuer, "a later session", &later.cookie(), UserBanned).await;
    session.user().unban();
    accept(&issuer, &key.credential()).await;
    accept(&issuer, &later.cookie()).await;
    refuse(&issuer, "the old session", &session.cookie(), InvalidCredential).await;
}

#[tokio::test]
async fn sql_ban_rejects_everything() {
    let (issuer, session) = issuer_with_session();
    session.user().ban_by_sql();
    for (credential, _) in by_session(&session) {
        refuse(&issuer, &format!("{credential:?}"), &credential, UserBanned).await;
    }
    // A new cache has the new values as well.
    refuse(&issuer, "cache", &session.cookie_cache(), UserBanned).await;
    session.user().unban();
    accept(&issuer, &session.cookie()).await;
}

#[tokio::test]
async fn deleted_user_frees_the_email() {
    let (issuer, session) = issuer_with_session();
    let key = session.user().api_key().create();
    session.user().delete();
    refuse(&issuer, "cookie", &session.cookie(), InvalidCredential).await;
    refuse(&issuer, "API key", &key.credential(), InvalidCredential).await;
    refuse(&issuer, "jwt", &session.jwt().mint(), UserNotFound).await;
    let by_address = session.secret_jwt().mint();
    refuse(&issuer, "secret jwt", &by_address, UserNotFound).await;

    let other = issuer.user("ada@example.com").create();
    assert_ne!(other.id(), session.user().id());
    accept(&issuer, &other.sign_in().cookie()).await;
}

#[tokio::test]
async fn api_keys_are_disabled_and_deleted() {
    let issuer = TestDeployment::new();
    let ada = issuer.user("ada@example.com").create();
    let [disabled, deleted, kept] = [(); 3].map(|()| ada.api_key().create());
    disabled.disable();
    deleted.delete();
    refuse(&issuer, "disabled", &disabled.credential(), InvalidCredential).await;
    refuse(&issuer, "deleted", &deleted.credential(), InvalidCredential).await;
    accept(&issuer, &kept.credential()).await;
}

#[tokio::test]
async fn role_and_verification_change() {
    let (issuer, session) = issuer_with_session();
    let layer = issuer.layer_builder().require_verified_email().build().unwrap();
    let outcome = send(&layer, &session.cookie()).await;
    assert_eq!(outcome.map(|_| ()), Err(InvalidCredential));
    session.user().verify_email();
    session.user().set_role("admin");
    let identity = send(&layer, &session.cookie()).await.unwrap();
    assert_eq!(identity.user().role(), Some("admin"));
    assert_eq!(session.user().to_user().role(), Some("admin"));
}

#[tokio::test]
async fn credentials_expire_to_the_second() {
    let (issuer, session) = issuer_with_session();
    let key = session.user().api_key().expires_in(Duration::from_secs(86_400)).create();
    let (jwt, secret_jwt) = (session.jwt().mint(), session.secret_jwt().mint());
    let cached = session.cookie_cache();
    let kind = |identity: better_auth_layer::Identity| identity.credential();

    issuer.advance(Duration::from_secs(299));
    assert_eq!(kind(accept(&issuer, &cached).await), CredentialKind::CookieCache);
    issuer.advance(Duration::from_secs(1));
    assert_eq!(kind(accept(&issuer, &cached).await), CredentialKind::SessionCookie);

    issuer.advance(Duration::from_secs(599));
    accept(&issuer, &jwt).await;
    accept(&issuer, &secret_jwt).await;
    issuer.advance(Duration::from_secs(1));
    refuse(&issuer, "jwt", &jwt, InvalidCredential).await;
    refuse(&issuer, "secret jwt", &secret_jwt, InvalidCredential).await;
    accept(&issuer, &session.jwt().mint()).await;

    issuer.advance(Duration::from_secs(86_400 - 901));
    accept(&issuer, &key.credential()).await;
    issuer.advance(Duration::from_secs(1));
    refuse(&issuer, "API key", &key.credential(), InvalidCredential).await;

    issuer.advance(Duration::from_secs(6 * 86_400 - 1));
    accept(&issuer, &session.cookie()).await;
    issuer.advance(Duration::from_secs(1));
    refuse_all(&issuer, &session).await;
}

#[test]
fn cloned_clocks_share_the_time() {
    let issuer = TestDeployment::new();
    let clock = issuer.clock();
    assert_eq!(clock.now(), TestClock::START);
    assert_eq!(TestClock::START, at(1_767_225_600));
    issuer.advance(Duration::from_millis(1500));
    assert_eq!(clock.monotonic(), Duration::from_millis(1500));
    clock.set_wall(Timestamp::UNIX_EPOCH);
    assert_eq!(issuer.clock().now(), Timestamp::UNIX_EPOCH);
    assert_eq!(issuer.clock().monotonic(), Duration::from_millis(1500));

    let shared = TestDeployment::builder().clock(clock).build();
    shared.advance(Duration::from_secs(1));
    assert_eq!(issuer.clock().now(), at(1));
}

#[tokio::test]
async fn keys_rotate() {
    let (issuer, session) = issuer_with_session();
    let layer = issuer.layer();
    let old = session.jwt().mint();
    send(&layer, &old).await.unwrap();

    issuer.rotate_keys();
    let new = session.jwt().mint();
    let outcome = send(&layer, &new).await.map(|_| ());
    assert_eq!(outcome, Err(InvalidCredential), "fetched a moment ago");
    issuer.advance(Duration::from_secs(30));
    send(&layer, &new).await.unwrap();
    send(&layer, &old).await.unwrap();
    assert_eq!(issuer.key_fetches(), 2);

    issuer.retire_old_keys();
    send(&layer, &old).await.unwrap();
    refuse(&issuer, "a layer that has never had it", &old, InvalidCredential).await;
    accept(&issuer, &new).await;
    let document: serde_json::Value = serde_json::from_str(&issuer.jwks_json()).unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn misuse_panics_with_a_reason() {
    let panics = |what: &str, run: &dyn Fn()| {
        let run = std::panic::AssertUnwindSafe(run);
        let message = std::panic::catch_unwind(run).unwrap_err();
        let message = message.downcast_ref::<String>().unwrap();
        assert!(message.contains(what), "{message}");
    };
    let issuer = TestDeployment::new();
    let ada = issuer.user("ada@example.com").create();
    panics("there is a user ada@example.com already", &|| {
        let _ada = issuer.user("Ada@example.com").create();
    });
    panics("the layer rejects the credential: invalid_credential", &|| {
        let _identity = issuer.identity(&ada.email_verification_token());
    });
    ada.delete();
    panics("ada@example.com was deleted", &|| {
        let _session = ada.sign_in();
    });
    panics("ada@example.com was deleted", &|| {
        let _key = ada.api_key().create();
    });
    panics("ada@example.com was deleted", &|| ada.ban());
    panics("`ftp://x` is not an http or https URL", &|| {
        let _issuer = TestDeployment::builder().base_url("ftp://x").build();
    });
}

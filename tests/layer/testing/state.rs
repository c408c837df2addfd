//! What a test changes is what the next request sees.

use RejectionKind::{InvalidCredential, NoActiveSession, UserBanned, UserNotFound};
use better_auth_layer::testing::{TestClock, TestSession};
use support::prelude::*;

use super::{accept, refuse, send};

fn issuer_with_session() -> (TestDeployment, TestSession) {
    let issuer = TestDeployment::new();
    let session = issuer.user("ada@example.com").create().sign_in();
    (issuer, session)
}

/// A session's credentials that the store is asked about, and how each is refused when the session is gone.
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
async fn a_session_that_was_signed_out_proves_nothing_and_others_go_on() {
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
async fn signing_out_everywhere_ends_all_sessions_of_one_user() {
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
async fn a_ban_ends_sessions_and_keeps_api_keys_out_until_it_is_lifted() {
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
async fn a_ban_by_sql_refuses_everything_as_banned() {
    let (issuer, session) = issuer_with_session();
    session.user().ban_by_sql();
    for (credential, _) in by_session(&session) {
        refuse(&issuer, &format!("{credential:?}"), &credential, UserBanned).await;
    }
    // What is cached from now on says so, too.
    refuse(&issuer, "cache", &session.cookie_cache(), UserBanned).await;
    session.user().unban();
    accept(&issuer, &session.cookie()).await;
}

#[tokio::test]
async fn a_deleted_user_is_unknown_and_the_address_free_again() {
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
async fn roles_and_verified_addresses_change() {
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
async fn everything_ends_at_its_second() {
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
fn clocks_that_are_clones_are_one_and_wall_time_can_be_corrected() {
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
async fn keys_are_rotated_with_and_without_their_predecessors() {
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
fn what_makes_no_sense_ends_the_test_and_says_why() {
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
    panics("the layer refuses the credential: invalid_credential", &|| {
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
    panics("`ftp://x` is no http or https address", &|| {
        let _issuer = TestDeployment::builder().base_url("ftp://x").build();
    });
}

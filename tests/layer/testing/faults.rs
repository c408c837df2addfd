//! Broken stores and keys are unavailable, and everything is counted.

use RejectionKind::{InvalidCredential, Unavailable};
use better_auth_layer::testing::TestSession;
use support::prelude::*;

use super::send;

fn issuer_with_session() -> (TestDeployment, TestSession) {
    let issuer = TestDeployment::new();
    let session = issuer.user("ada@example.com").create().sign_in();
    (issuer, session)
}

#[tokio::test(start_paused = true)]
async fn broken_store_is_unavailable() {
    let (issuer, session) = issuer_with_session();
    let layer = issuer.layer();
    let key = session.user().api_key().create();
    let credentials = [
        session.cookie(),
        session.signed_token(),
        session.raw_token(),
        session.secret_jwt().mint(),
        session.jwt().mint(),
        key.credential(),
    ];
    for fault in [StoreFault::Unavailable, StoreFault::Hangs, StoreFault::Panics] {
        issuer.break_store(fault);
        let started = tokio::time::Instant::now();
        for credential in &credentials {
            let outcome = send(&layer, credential).await.map(|_| ());
            assert_eq!(outcome, Err(Unavailable), "{fault:?} {credential:?}");
        }
        let waited = started.elapsed().as_secs();
        let expected = if fault == StoreFault::Hangs { 60 } else { 0 };
        assert_eq!(waited, expected, "{fault:?}: ten seconds each");
        assert!(layer.authenticator().ready().await.is_err(), "{fault:?}");
        // Credentials that need no store are accepted.
        let outcome = send(&layer, &session.cookie().tampered()).await.map(|_| ());
        assert_eq!(outcome, Err(InvalidCredential), "{fault:?}");
        send(&layer, &session.cookie_cache()).await.unwrap();

        issuer.restore_store();
        for credential in &credentials {
            send(&layer, credential).await.unwrap();
        }
        layer.authenticator().ready().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn broken_keys_are_unavailable() {
    for fault in [
        KeysFault::Unavailable,
        KeysFault::Slow(Duration::from_secs(6)),
        KeysFault::Garbage,
        KeysFault::Empty,
    ] {
        let (issuer, session) = issuer_with_session();
        let layer = issuer.layer();
        issuer.break_keys(fault);
        let jwt = session.jwt().mint();
        let outcome = send(&layer, &jwt).await.map(|_| ());
        assert_eq!(outcome, Err(Unavailable), "{fault:?}");
        send(&layer, &session.cookie()).await.unwrap();
        assert!(issuer.jwks_json().contains("\"kid\""), "{fault:?}");
        assert_eq!(issuer.key_fetches(), 1, "{fault:?}");

        issuer.restore_keys();
        issuer.advance(Duration::from_secs(1));
        send(&layer, &jwt).await.unwrap();
        assert_eq!(issuer.key_fetches(), 2, "{fault:?}");

        // Known keys are used for an hour.
        issuer.break_keys(fault);
        issuer.advance(Duration::from_secs(59 * 60));
        send(&layer, &session.jwt().mint()).await.unwrap();
        issuer.advance(Duration::from_secs(2 * 60));
        let outcome = send(&layer, &session.jwt().mint()).await.map(|_| ());
        assert_eq!(outcome, Err(Unavailable), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_keys_in_time_are_used() {
    let (issuer, session) = issuer_with_session();
    issuer.break_keys(KeysFault::Slow(Duration::from_secs(4)));
    let started = tokio::time::Instant::now();
    send(&issuer.layer(), &session.jwt().mint()).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 4);
}

#[tokio::test]
async fn lookups_and_fetches_are_counted() {
    let (issuer, session) = issuer_with_session();
    let layer = issuer.layer();
    let key = session.user().api_key().create();
    let counts = || {
        let of = |kind| issuer.lookups(kind);
        [
            of(LookupKind::Email),
            of(LookupKind::UserId),
            of(LookupKind::SessionToken),
            of(LookupKind::ApiKey),
            issuer.total_lookups(),
            issuer.key_fetches(),
        ]
    };
    assert_eq!(counts(), [0; 6]);
    send(&layer, &session.secret_jwt().mint()).await.unwrap();
    assert_eq!(counts(), [1, 0, 0, 0, 1, 0]);
    send(&layer, &session.jwt().mint()).await.unwrap();
    send(&layer, &session.jwt().mint()).await.unwrap();
    assert_eq!(counts(), [1, 2, 0, 0, 3, 1]);
    send(&layer, &session.cookie()).await.unwrap();
    send(&layer, &session.signed_token()).await.unwrap();
    send(&layer, &session.raw_token()).await.unwrap();
    assert_eq!(counts(), [1, 2, 3, 0, 6, 1]);
    send(&layer, &key.credential()).await.unwrap();
    assert_eq!(counts(), [1, 2, 3, 1, 7, 1]);

    // Caches, invalid signatures, readiness checks and identities for handlers are no lookups.
    send(&layer, &session.cookie_cache()).await.unwrap();
    send(&layer, &session.cookie().tampered()).await.unwrap_err();
    layer.authenticator().ready().await.unwrap();
    let _identity = issuer.identity(&session.jwt().mint());
    assert_eq!(counts(), [1, 2, 3, 1, 7, 1]);

    issuer.break_store(StoreFault::Unavailable);
    send(&layer, &session.cookie()).await.unwrap_err();
    assert_eq!(counts(), [1, 2, 4, 1, 8, 1], "without an answer, too");
}

#[tokio::test]
async fn store_and_keys_can_be_reused() {
    let (issuer, session) = issuer_with_session();
    let layer = better_auth_layer::BetterAuthLayer::builder()
        .secret(issuer.secret())
        .base_url(issuer.base_url())
        .clock(issuer.clock())
        .store(issuer.store())
        .key_source(issuer.key_source());
    let layer = layer.build().unwrap();
    for credential in [session.cookie(), session.jwt().mint(), session.secret_jwt().mint()] {
        send(&layer, &credential).await.unwrap();
    }
    assert_eq!((issuer.total_lookups(), issuer.key_fetches()), (3, 1));
    let (ours, plain) = (issuer.store(), MemoryStore::new());
    for kind in [LookupKind::Email, LookupKind::ApiKey] {
        assert_eq!(ours.supports(kind), plain.supports(kind));
    }
}

//! Identities for unit tests of handlers.

use better_auth_layer::testing::{api_key_identity, identity};
use support::prelude::*;

#[test]
fn identity_needs_no_runtime() {
    let issuer = TestDeployment::builder().algorithm(JwsAlgorithm::Es256).build();
    let session = issuer.user("ada@example.com").create().sign_in();
    let key = session.user().api_key().create();
    // Faults do not affect an identity for a handler.
    issuer.break_store(StoreFault::Unavailable);
    issuer.advance(Duration::from_secs(5));
    for (credential, kind) in [
        (session.cookie(), CredentialKind::SessionCookie),
        (session.cookie_cache(), CredentialKind::CookieCache),
        (session.signed_token(), CredentialKind::SignedSessionToken),
        (session.raw_token(), CredentialKind::RawSessionToken),
        (session.jwt().mint(), CredentialKind::Jwt),
        (session.secret_jwt().mint(), CredentialKind::SecretJwt),
        (key.credential(), CredentialKind::ApiKey),
    ] {
        let identity = issuer.identity(&credential);
        assert_eq!(identity.credential(), kind);
        assert_eq!(identity.user().id(), session.user().id());
        assert_eq!(identity.authenticated_at(), at(1_767_225_605));
    }
    assert_eq!((issuer.total_lookups(), issuer.key_fetches()), (0, 0));
}

#[test]
fn rows_make_an_identity() {
    let ada = || User::new("usr_1", "ada@example.com");
    let session = Session::new("ses_1", "usr_1", Timestamp::MAX);
    let by_session = identity(ada(), session);
    assert_eq!(by_session.credential(), CredentialKind::SessionCookie);
    assert_eq!(by_session.session().unwrap().id(), "ses_1");
    assert!(by_session.is_session_bound() && by_session.claims_json().is_none());

    let key = ApiKey::new("key_1", "usr_1", ApiKeyHash::from_key("k"));
    let by_key = api_key_identity(ada(), key);
    assert_eq!(by_key.credential(), CredentialKind::ApiKey);
    assert_eq!(by_key.api_key().unwrap().id(), "key_1");
    assert!(by_key.session().is_none() && !by_key.is_session_bound());
}

#[test]
#[should_panic(expected = "the session is another user's")]
fn foreign_session_panics() {
    let session = Session::new("ses_1", "usr_2", Timestamp::MAX);
    let _identity = identity(User::new("usr_1", "ada@example.com"), session);
}

#[test]
#[should_panic(expected = "the API key is another user's")]
fn foreign_api_key_panics() {
    let key = ApiKey::new("key_1", "usr_2", ApiKeyHash::from_key("k"));
    let _identity = api_key_identity(User::new("usr_1", "ada@example.com"), key);
}

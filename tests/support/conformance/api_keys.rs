//! API keys and session tokens: credentials that name a row.

use std::time::Duration;

use better_auth_layer::api_key::ApiKeys;
use better_auth_layer::{
    BetterAuthLayer, BetterAuthLayerBuilder, CredentialKind, RejectionKind, UserStore,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::gate::{Gate, builder};
use crate::test_clock::{NOW, TestClock};
use crate::token::signed_session_token;

fn with_keys(store: impl UserStore, keys: ApiKeys) -> BetterAuthLayerBuilder {
    BetterAuthLayer::builder()
        .clock(TestClock::new())
        .store(store)
        .api_keys(keys)
}

fn header(name: &'static str, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).unwrap();
    [(HeaderName::from_static(name), value)]
        .into_iter()
        .collect()
}

/// By cookie and as a bearer token.
pub async fn a_session_token_names_its_session_and_nobody_elses(store: impl UserStore) {
    // The world's tokens are easier to read than Better Auth's.
    let gate = Gate::of(builder(store).session_token_validator(|_| true));
    for (token, user_id) in [
        ("ses_ada", "usr_ada"),
        ("ses_several_short", "usr_several"),
        ("ses_several_admin", "usr_several"),
        ("ses_edge", "usr_edge"),
        ("ses_banned_before", "usr_banned_before"),
    ] {
        let signed = signed_session_token(token);
        let answer = gate.send(&signed).await;
        answer.assert_identity("bearer", user_id, token);
        let identity = gate.identity();
        assert_eq!(identity.credential(), CredentialKind::SignedSessionToken);
        assert_eq!(identity.claims_json(), None);
        assert_eq!(
            identity.expires_at(),
            identity.session().unwrap().expires_at()
        );
        let cookie = format!("better-auth.session_token={signed}");
        let answer = gate.send_cookie(&cookie).await;
        answer.assert_identity("cookie", user_id, token);
        assert_eq!(gate.identity().credential(), CredentialKind::SessionCookie);
    }
    for token in [
        "ses_expired_2",
        "ses_nobody",
        "SES_ADA",
        "ses_ad",
        "usr_ada",
        "%",
        "ses_ada'--",
    ] {
        let answer = gate.send(&signed_session_token(token)).await;
        answer.assert_refused(token, RejectionKind::InvalidCredential);
    }
    for token in ["ses_banned", "ses_banned_still"] {
        let answer = gate.send(&signed_session_token(token)).await;
        answer.assert_refused(token, RejectionKind::UserBanned);
    }
}

/// With what the application may want to know about it.
pub async fn an_api_key_stands_for_its_owner(store: impl UserStore) {
    let gate = Gate::of(with_keys(store, ApiKeys::new()));
    let answer = gate.send_headers(header("x-api-key", "app_of-ada")).await;
    answer.assert_identity("a good key", "usr_ada", "key_ada");
    let identity = gate.identity();
    assert_eq!(identity.credential(), CredentialKind::ApiKey);
    assert!(identity.session().is_none());
    assert_eq!(identity.user().email(), "ada@example.com");
    let key = identity.api_key().expect("an API key");
    assert_eq!(key.reference_id(), "usr_ada");
    assert_eq!(key.name(), Some("key_ada"));
    assert_eq!(key.config_id(), Some("default"));
    assert_eq!(key.remaining(), None);
    assert_eq!(key.rate_limit(), Some((10, Duration::from_secs(86_400))));
    assert!(key.allows("files", "read") && !key.allows("files", "delete"));

    for (text, id) in [
        ("app_edge", "key_edge"),
        ("app_last-use", "key_last_use"),
        ("app_refill-due", "key_refill_due"),
    ] {
        let answer = gate.send_headers(header("x-api-key", text)).await;
        answer.assert_identity(text, "usr_ada", id);
    }
    let answer = gate.send_headers(header("x-api-key", "app_edge")).await;
    answer.assert_identity("about to end", "usr_ada", "key_edge");
    assert_eq!(gate.identity().expires_at().as_unix_seconds(), NOW + 1);
}

/// Each for its own reason, and all alike for the client.
pub async fn api_keys_that_are_not_good_are_refused(store: impl UserStore) {
    let gate = Gate::of(with_keys(store, ApiKeys::new()));
    for text in [
        "app_of-nobody",
        "APP_OF-ADA",
        "of-ada",
        "app_of-ada ",
        "key_ada",
        "%",
        "app_disabled",
        "app_expired",
        "app_used-up",
        "app_refill-later",
        "app_internal",
        "app_of-an-organization",
    ] {
        let answer = gate.send_headers(header("x-api-key", text)).await;
        answer.assert_refused(text, RejectionKind::InvalidCredential);
    }
    let banned = header("x-api-key", "app_of-a-banned-user");
    let answer = gate.send_headers(banned).await;
    answer.assert_refused("banned", RejectionKind::UserBanned);
}

/// Where they are named, and then those alone.
pub async fn other_configurations_and_headers_are_accepted_on_request(store: impl UserStore) {
    let keys = ApiKeys::new()
        .configuration("internal")
        .header("x-internal-key");
    let gate = Gate::of(with_keys(store, keys));
    let answer = gate
        .send_headers(header("x-internal-key", "app_internal"))
        .await;
    answer.assert_identity("the named one", "usr_ada", "key_internal");
    let answer = gate
        .send_headers(header("x-internal-key", "app_of-ada"))
        .await;
    answer.assert_refused("the default one", RejectionKind::InvalidCredential);
    let answer = gate.send_headers(header("x-api-key", "app_internal")).await;
    answer.assert_refused("another header", RejectionKind::MissingCredential);
}

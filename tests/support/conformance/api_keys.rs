//! API keys and session tokens: credentials that name a row.

use crate::prelude::*;
use http::{HeaderMap, HeaderName, HeaderValue};

fn with_keys(store: impl UserStore, keys: ApiKeys) -> BetterAuthLayerBuilder {
    BetterAuthLayer::builder().clock(clock()).store(store).api_keys(keys)
}

fn header(name: &'static str, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).unwrap();
    [(HeaderName::from_static(name), value)].into_iter().collect()
}

/// As a cookie and as a bearer token.
pub async fn session_token_finds_its_session(store: impl UserStore) {
    // The tokens of the fixtures are shorter than Better Auth's.
    let app = App::of(builder(store).session_token_validator(|_| true));
    for (token, user_id) in [
        ("ses_ada", "usr_ada"),
        ("ses_several_short", "usr_several"),
        ("ses_several_admin", "usr_several"),
        ("ses_edge", "usr_edge"),
        ("ses_banned_before", "usr_banned_before"),
    ] {
        let signed = signed_session_token(token);
        app.accepts(&signed, "bearer", user_id, token).await;
        let identity = app.identity();
        assert_eq!(identity.credential(), CredentialKind::SignedSessionToken);
        assert_eq!(identity.claims_json(), None);
        assert_eq!(identity.expires_at(), identity.session().unwrap().expires_at());
        let cookie = format!("better-auth.session_token={signed}");
        app.accepts(Cookie(&cookie), "cookie", user_id, token).await;
        assert_eq!(app.identity().credential(), CredentialKind::SessionCookie);
    }
    for token in ["ses_expired_2", "ses_nobody", "SES_ADA", "ses_ad", "usr_ada", "%", "ses_ada'--"]
    {
        app.rejects(&signed_session_token(token), token, InvalidCredential).await;
    }
    for token in ["ses_banned", "ses_banned_still"] {
        app.rejects(&signed_session_token(token), token, UserBanned).await;
    }
}

/// With the properties of the key.
pub async fn api_key_identifies_its_owner(store: impl UserStore) {
    let app = App::of(with_keys(store, ApiKeys::new()));
    app.accepts(header("x-api-key", "app_of-ada"), "a good key", "usr_ada", "key_ada").await;
    let identity = app.identity();
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
        app.accepts(header("x-api-key", text), text, "usr_ada", id).await;
    }
    app.accepts(header("x-api-key", "app_edge"), "about to end", "usr_ada", "key_edge").await;
    assert_eq!(app.identity().expires_at().as_unix_seconds(), NOW + 1);
}

/// Different reasons, but the same response.
pub async fn invalid_api_keys_are_rejected(store: impl UserStore) {
    let app = App::of(with_keys(store, ApiKeys::new()));
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
        app.rejects(header("x-api-key", text), text, InvalidCredential).await;
    }
    let banned = header("x-api-key", "app_of-a-banned-user");
    app.rejects(banned, "banned", UserBanned).await;
}

/// The configured values replace the defaults.
pub async fn other_key_settings_are_opt_in(store: impl UserStore) {
    let keys = ApiKeys::new().configuration("internal").header("x-internal-key");
    let app = App::of(with_keys(store, keys));
    app.accepts(
        header("x-internal-key", "app_internal"),
        "the named one",
        "usr_ada",
        "key_internal",
    )
    .await;
    app.rejects(header("x-internal-key", "app_of-ada"), "the default one", InvalidCredential).await;
    app.rejects(header("x-api-key", "app_internal"), "another header", MissingCredential).await;
}

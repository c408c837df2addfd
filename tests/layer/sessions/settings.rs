//! Invalid settings are reported before the first request.

use super::fixtures::{Counting, layer};
use support::prelude::*;

struct Only(LookupKind);

impl UserStore for Only {
    async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
        Ok(Resolution::UserNotFound)
    }

    fn supports(&self, kind: LookupKind) -> bool {
        kind == self.0
    }
}

fn refused(builder: BetterAuthLayerBuilder) -> ConfigError {
    builder.build().expect_err("it makes no sense")
}

#[test]
fn invalid_settings_are_named() {
    let without_secret = || {
        let builder = BetterAuthLayer::builder().base_url("http://localhost:3000");
        builder.store(Counting::new())
    };
    let table: Vec<(&str, BetterAuthLayerBuilder)> = vec![
        ("secret", BetterAuthLayer::builder().store(Counting::new())),
        ("base_url", layer().base_url("app.example.com")),
        ("base_url", layer().base_url("http://app.example.com")),
        ("jwks_url", layer().base_url("https://app.example.com").jwks_url("http://a.example/jwks")),
        ("base_url", layer().jwks_url("https://app.example.com/jwks")),
        ("jwks_issuer", layer().jwks_issuer("")),
        ("trusted_origin", layer().trusted_origin("*")),
        ("trusted_origin", layer().trusted_origin("app.example.com")),
        ("session_cookie_name", layer().session_cookie_name("")),
        ("session_cookie_name", layer().session_cookie_name("a=b")),
        ("session_cookie_name", layer().cookie_prefix("a b")),
        ("session_id_claim", layer().session_id_claim("azp")),
        ("cookie_cache", without_secret().cookie_cache(CookieCache::jwe())),
        ("cookie_cache", layer().without_session_tokens().cookie_cache(CookieCache::jwe())),
        ("cookie_cache", layer().cookie_cache(CookieCache::jwks())),
        ("jwks_options", layer().jwks_options(JwksOptions::new().fetch_timeout(Duration::ZERO))),
        ("jwks_options", layer().jwks_options(JwksOptions::new().cooldown(Duration::ZERO))),
        (
            "jwks_options",
            layer().jwks_options(JwksOptions::new().max_stale(Duration::from_secs(1))),
        ),
        (
            "jwks_options",
            layer().jwks_options(
                JwksOptions::new()
                    .refresh_after(Duration::from_secs(5))
                    .max_stale(Duration::from_secs(30)),
            ),
        ),
        (
            "jwks_options",
            layer().jwks_options(JwksOptions::new().rsa_algorithm(JwsAlgorithm::EdDsa)),
        ),
        ("store", builder(Only(LookupKind::Email))),
        ("store", builder(Only(LookupKind::SessionToken))),
        (
            "store",
            builder(Only(LookupKind::Email)).without_session_tokens().api_keys(ApiKeys::new()),
        ),
        (
            "store",
            builder(Only(LookupKind::Email))
                .without_session_tokens()
                .base_url("https://app.example.com"),
        ),
    ];
    for (index, (setting, builder)) in table.into_iter().enumerate() {
        let error = refused(builder);
        assert_eq!(error.setting(), setting, "{index}: {error}");
    }
    for name in ["authorization", "not a name"] {
        let api_keys = ApiKeys::new().header(name);
        assert_eq!(refused(layer().api_keys(api_keys)).setting(), "api_keys");
    }
}

#[test]
fn partial_stores_are_enough() {
    assert!(builder(Only(LookupKind::Email)).without_session_tokens().build().is_ok());
    assert!(builder(Only(LookupKind::SessionToken)).without_secret_jwts().build().is_ok());
    let keys = BetterAuthLayer::builder().api_keys(ApiKeys::new());
    assert!(keys.store(Only(LookupKind::ApiKey)).build().is_ok());
}

/// The store and the issuer may be down, and a runtime is not needed.
#[test]
fn building_does_no_io() {
    let store = Counting::new();
    let builder = builder(store.clone()).base_url("https://issuer.invalid");
    assert!(builder.build().is_ok());
    assert_eq!(store.count(), 0);
}

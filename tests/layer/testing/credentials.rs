//! Every issued credential is accepted with its user, session and kind.

use better_auth_layer::testing::TestSession;
use http::Request;
use support::prelude::*;

use super::{accept, send};

const ALGORITHMS: [JwsAlgorithm; 5] = [
    JwsAlgorithm::EdDsa,
    JwsAlgorithm::Es256,
    JwsAlgorithm::Es512,
    JwsAlgorithm::Rs256,
    JwsAlgorithm::Ps256,
];

fn issuer_with_session() -> (TestDeployment, TestSession) {
    let issuer = TestDeployment::new();
    let session = issuer.user("ada@example.com").create().sign_in();
    (issuer, session)
}

async fn assert_proves(
    issuer: &TestDeployment,
    session: &TestSession,
    credential: &Credential,
    kind: CredentialKind,
) {
    let identity = accept(issuer, credential).await;
    assert_eq!(identity.credential(), kind);
    assert_eq!(identity.user().id(), session.user().id(), "{kind:?}");
    assert_eq!(identity.user().email(), "ada@example.com", "{kind:?}");
    assert_eq!(identity.session().unwrap().id(), session.id(), "{kind:?}");
}

#[tokio::test]
async fn session_credentials_are_accepted() {
    let (issuer, session) = issuer_with_session();
    let all = [
        (session.cookie(), CredentialKind::SessionCookie),
        (session.cookie_cache(), CredentialKind::CookieCache),
        (session.signed_token(), CredentialKind::SignedSessionToken),
        (session.raw_token(), CredentialKind::RawSessionToken),
        (session.jwt().mint(), CredentialKind::Jwt),
        (session.secret_jwt().mint(), CredentialKind::SecretJwt),
    ];
    for (credential, kind) in all {
        assert_proves(&issuer, &session, &credential, kind).await;
    }
}

#[tokio::test]
async fn jwts_of_all_algorithms_work() {
    for algorithm in ALGORITHMS {
        let issuer = TestDeployment::builder().algorithm(algorithm).build();
        let session = issuer.user("ada@example.com").create().sign_in();
        let before = session.jwt().mint();
        issuer.rotate_keys();
        let after = session.jwt().mint();
        assert_ne!(before.text().split('.').next(), after.text().split('.').next());
        for token in [before, after] {
            assert_proves(&issuer, &session, &token, CredentialKind::Jwt).await;
        }
    }
}

#[tokio::test]
async fn cookie_caches_of_all_kinds_work() {
    let mut biographies = vec![String::new(), "short".to_owned()];
    // From just below the limit of one cookie to several chunks, in every encoding.
    biographies.extend((2000..=3000).step_by(200).map(|length| "b".repeat(length)));
    biographies.push("ü🦀".repeat(2000));
    let kinds: [fn() -> CookieCache; 4] =
        [CookieCache::compact, CookieCache::jwt, CookieCache::jwe, CookieCache::jwks];
    for kind in kinds {
        for base_url in ["https://app.example.com", "http://localhost:3000"] {
            let issuer = TestDeployment::builder()
                .base_url(base_url)
                .cookie_prefix("shop")
                .cookie_cache(kind().version("7"))
                .build();
            let (mut whole, mut chunked) = (0, 0);
            for (number, biography) in biographies.iter().enumerate() {
                let ada = issuer.user(&format!("{number}@example.com"));
                let session = ada.field("bio", biography).create().sign_in();
                let cookies = session.cookie_cache();
                if cookies.text().contains("shop.session_data.0=") {
                    chunked += 1;
                } else {
                    whole += 1;
                }
                for cookie in cookies.text().split("; ") {
                    assert!(cookie.len() <= 4050, "{kind:?}: {}", cookie.len());
                    let is_secure = cookie.starts_with("__Secure-shop.");
                    assert_eq!(is_secure, base_url.starts_with("https"), "{cookie:.40}");
                }
                let identity = accept(&issuer, &cookies).await;
                assert_eq!(identity.credential(), CredentialKind::CookieCache);
                assert_eq!(identity.user().field("bio"), Some(biography.as_str()));
                assert_eq!(identity.session().unwrap().id(), session.id());
            }
            assert!(whole >= 2 && chunked >= 2, "{whole} whole, {chunked} chunked");
            assert_eq!(issuer.total_lookups(), 0, "a cache is enough");
        }
    }
}

#[tokio::test]
async fn builder_options_take_effect() {
    let issuer = TestDeployment::new();
    let root = issuer.user("root@example.com").create();
    let ada = issuer
        .user("Ada@Example.com")
        .id("usr_1")
        .name("Ada")
        .image("https://example.com/ada.png")
        .role("admin,editor")
        .verified()
        .field("plan", "gold")
        .create();
    let session = ada
        .session()
        .id("ses_1")
        .expires_in(Duration::from_secs(60))
        .impersonated_by(&root)
        .active_organization("org_1")
        .create();
    // From the store, and from a decrypted cache.
    for credential in [session.cookie(), session.cookie_cache()] {
        let identity = accept(&issuer, &credential).await;
        let user = identity.user();
        assert_eq!((user.id(), user.email()), ("usr_1", "ada@example.com"));
        assert_eq!(user.name(), Some("Ada"));
        assert_eq!(user.image(), Some("https://example.com/ada.png"));
        assert_eq!(user.role(), Some("admin,editor"));
        assert!(user.email_verified());
        assert_eq!(user.field("plan"), Some("gold"));
        let session = identity.session().unwrap();
        let now = at(1_767_225_600);
        assert_eq!(session.id(), "ses_1");
        assert_eq!(session.created_at(), Some(now));
        assert_eq!(session.expires_at(), now.saturating_add(Duration::from_secs(60)));
        assert_eq!(session.impersonated_by(), Some(root.id()));
        assert_eq!(session.active_organization_id(), Some("org_1"));
    }
    let plain = issuer.user("bob@example.com").create();
    let identity = accept(&issuer, &plain.sign_in().cookie()).await;
    assert_eq!(identity.user().name(), Some("bob"));
    assert_eq!(identity.user().role(), Some("user"));
    assert!(!identity.user().email_verified());
    let week = Duration::from_secs(7 * 86_400);
    assert_eq!(identity.expires_at(), at(1_767_225_600).saturating_add(week));
}

#[tokio::test]
async fn custom_claims_are_kept() {
    let (issuer, session) = issuer_with_session();
    let longer = session.user().session().expires_in(Duration::from_secs(8 * 86_400));
    let longer = longer.create();
    for jwt in [session.jwt(), session.secret_jwt()] {
        let jwt = jwt.claim("tenant", "acme").claim("scopes", ["read"]).in_session();
        let token = jwt.expires_in(Duration::from_secs(60)).mint();
        let identity = accept(&issuer, &token).await;
        let claims: serde_json::Value =
            serde_json::from_str(identity.claims_json().unwrap()).unwrap();
        assert_eq!(claims["tenant"], "acme");
        assert_eq!(claims["scopes"], serde_json::json!(["read"]));
        assert_eq!(identity.session().unwrap().id(), session.id());
        assert_eq!(identity.expires_at(), at(1_767_225_600 + 60));
    }
    // Without `sid`, the session that ends last is used.
    let identity = accept(&issuer, &session.jwt().mint()).await;
    assert_eq!(identity.session().unwrap().id(), longer.id());
    assert!(!identity.is_session_bound());
}

#[tokio::test]
async fn api_key_has_permissions() {
    let issuer = TestDeployment::new();
    let ada = issuer.user("ada@example.com").create();
    let key = ada
        .api_key()
        .id("key_1")
        .prefix("app_")
        .name("ci")
        .permission("files", "read")
        .permission("files", "list")
        .remaining(1)
        .expires_in(Duration::from_secs(60))
        .create();
    assert!(key.credential().text().starts_with("app_"));
    let identity = accept(&issuer, &key.credential()).await;
    assert_eq!(identity.credential(), CredentialKind::ApiKey);
    assert_eq!(identity.user().id(), ada.id());
    assert!(identity.session().is_none());
    let found = identity.api_key().unwrap();
    assert_eq!((found.id(), found.name()), ("key_1", Some("ci")));
    assert!(found.allows("files", "read") && found.allows("files", "list"));
    assert!(!found.allows("files", "delete"));
    assert_eq!(found.remaining(), Some(1));

    let internal = ada.api_key().configuration("internal").create();
    let api_keys = ApiKeys::new().configuration("internal").header("x-internal");
    let layer = issuer.layer_builder().api_keys(api_keys).build().unwrap();
    let request = Request::get("/").header("x-internal", internal.credential().text());
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let identity = layer.authenticator().authenticate(&parts).await.unwrap();
    assert_eq!(identity.api_key().unwrap().id(), internal.id());
}

#[tokio::test]
async fn builder_accepts_the_defaults() {
    let (issuer, session) = issuer_with_session();
    let layer = issuer.layer_builder().build().unwrap();
    for credential in [
        session.cookie(),
        session.signed_token(),
        session.jwt().mint(),
        session.secret_jwt().mint(),
    ] {
        send(&layer, &credential).await.unwrap();
    }
    let cached = send(&layer, &session.cookie_cache()).await.unwrap();
    assert_eq!(cached.credential(), CredentialKind::SessionCookie);
    let key = session.user().api_key().create();
    for credential in [session.raw_token(), key.credential()] {
        send(&layer, &credential).await.unwrap_err();
    }
}

#[test]
fn credentials_combine_with_cookies() {
    let (issuer, session) = issuer_with_session();
    let request = Request::get("/").header("cookie", "theme=dark");
    let request = session.cookie().apply(request).body(()).unwrap();
    let cookies: Vec<_> = request.headers().get_all("cookie").iter().collect();
    assert_eq!(cookies.len(), 2);
    assert!(cookies[1].is_sensitive());

    let key = session.user().api_key().create();
    let secrets = [
        session.cookie(),
        session.cookie_cache(),
        session.raw_token(),
        session.jwt().mint(),
        key.credential(),
    ];
    let ada = session.user();
    let builder = ada.session().token("token-of-a-session");
    let jwt = session.jwt();
    let shown = format!("{session:?} {key:?} {secrets:?} {ada:?} {builder:?} {jwt:?}");
    let shown = format!("{shown} {issuer:?} {:?}", issuer.user("ada@example.com"));
    for secret in secrets {
        assert!(!shown.contains(secret.text()), "{shown}");
    }
    assert!(!shown.contains("ada@example.com"), "{shown}");
    assert!(!shown.contains("token-of-a-session"), "{shown}");
}

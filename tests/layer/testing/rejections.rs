//! Every invalid credential is rejected with the right kind.

use RejectionKind::{InvalidCredential, NoActiveSession};
use better_auth_layer::testing::JwtBuilder;
use support::prelude::*;

use super::{accept, refuse, send};

#[tokio::test]
async fn invalid_jwts_are_rejected() {
    let issuer = TestDeployment::new();
    let session = issuer.user("ada@example.com").create().sign_in();
    let kinds: [(&str, &dyn Fn() -> JwtBuilder); 2] =
        [("jwt", &|| session.jwt()), ("secret_jwt", &|| session.secret_jwt())];
    for (name, jwt) in kinds {
        accept(&issuer, &jwt().mint()).await;
        for (what, credential) in [
            ("expired", jwt().expired().mint()),
            ("ends now", jwt().expires_in(Duration::ZERO).mint()),
            ("forged", jwt().forged().mint()),
            ("tampered", jwt().mint().tampered()),
            ("without exp", jwt().without_claim("exp").mint()),
            ("other issuer", jwt().claim("iss", "https://other.example.com").mint()),
            ("other audience", jwt().claim("aud", "https://other.example.com").mint()),
            ("not yet", jwt().claim("nbf", 4_102_444_800_u64).mint()),
            ("access token", jwt().header("typ", "at+jwt").mint()),
            ("other algorithm", jwt().header("alg", "ES512").mint()),
            ("no algorithm", jwt().header("alg", "none").mint()),
        ] {
            let what = format!("{name}: {what}");
            refuse(&issuer, &what, &credential, InvalidCredential).await;
        }
    }
    for (what, credential) in [
        ("unknown kid", session.jwt().header("kid", "unknown").mint()),
        ("no audience", session.jwt().without_claim("aud").mint()),
        ("no subject", session.jwt().without_claim("sub").mint()),
        ("no address", session.secret_jwt().without_claim("email").mint()),
    ] {
        refuse(&issuer, what, &credential, InvalidCredential).await;
    }
    let other = session.secret_jwt().claim("sid", "another").mint();
    refuse(&issuer, "another session", &other, NoActiveSession).await;
}

#[tokio::test]
async fn forged_kid_is_rejected() {
    for algorithm in
        [JwsAlgorithm::Es256, JwsAlgorithm::Es512, JwsAlgorithm::Rs256, JwsAlgorithm::Ps256]
    {
        let issuer = TestDeployment::builder().algorithm(algorithm).build();
        let session = issuer.user("ada@example.com").create().sign_in();
        let forged = session.jwt().forged().mint();
        let good = session.jwt().mint();
        let header = |text: &str| text.split('.').next().unwrap().to_owned();
        assert_eq!(header(forged.text()), header(good.text()));
        refuse(&issuer, algorithm.as_str(), &forged, InvalidCredential).await;
        accept(&issuer, &good).await;
    }
}

#[tokio::test]
async fn tampered_credentials_are_rejected() {
    let issuer = TestDeployment::new();
    let session = issuer.user("ada@example.com").create().sign_in();
    let key = session.user().api_key().create();
    for (what, credential) in [
        ("cookie", session.cookie()),
        ("signed token", session.signed_token()),
        ("raw token", session.raw_token()),
        ("API key", key.credential()),
    ] {
        accept(&issuer, &credential).await;
        refuse(&issuer, what, &credential.tampered(), InvalidCredential).await;
    }
}

#[tokio::test]
async fn tampered_cache_uses_the_store() {
    for cache in
        [CookieCache::compact(), CookieCache::jwt(), CookieCache::jwe(), CookieCache::jwks()]
    {
        let issuer = TestDeployment::builder().cookie_cache(cache.clone()).build();
        let ada = issuer.user("ada@example.com");
        for ada in [ada, issuer.user("bob@example.com").field("bio", "b".repeat(5000))] {
            let cookies = ada.create().sign_in().cookie_cache();
            let kind = accept(&issuer, &cookies).await.credential();
            assert_eq!(kind, CredentialKind::CookieCache, "{cache:?}");
            let kind = accept(&issuer, &cookies.tampered()).await.credential();
            assert_eq!(kind, CredentialKind::SessionCookie, "{cache:?}");
        }
    }
}

#[tokio::test]
async fn other_cache_version_uses_store() {
    let issuer =
        TestDeployment::builder().cookie_cache(CookieCache::compact().version("1")).build();
    let cookies = issuer.user("ada@example.com").create().sign_in();
    let cookies = cookies.cookie_cache();
    for (version, expected) in
        [("1", CredentialKind::CookieCache), ("2", CredentialKind::SessionCookie)]
    {
        let cache = CookieCache::compact().version(version);
        let layer = issuer.layer_builder().cookie_cache(cache).build().unwrap();
        let identity = send(&layer, &cookies).await.unwrap();
        assert_eq!(identity.credential(), expected, "version {version}");
    }
}

#[tokio::test]
async fn mail_tokens_are_rejected() {
    let issuer = TestDeployment::new();
    let ada = issuer.user("ada@example.com").verified().create();
    let _session = ada.sign_in();
    let change = ada.change_email_token("mallory@example.com");
    let verification = ada.email_verification_token();
    refuse(&issuer, "verification", &verification, InvalidCredential).await;
    refuse(&issuer, "change", &change, InvalidCredential).await;
    // A layer without an expected issuer rejects it as well.
    let builder = BetterAuthLayer::builder().secret(issuer.secret());
    let builder = builder.clock(issuer.clock()).store(issuer.store());
    let layer = builder.build().unwrap();
    for credential in [verification, change] {
        let outcome = send(&layer, &credential).await.map(|_| ());
        assert_eq!(outcome, Err(InvalidCredential));
    }
}

#[tokio::test]
async fn other_deployment_is_rejected() {
    let issuer = TestDeployment::new();
    let forger = TestDeployment::new();
    // The ids and tokens are the same on both sides.
    let [session, forged] = [&issuer, &forger].map(|issuer| {
        let ada = issuer.user("ada@example.com").id("usr_1").create();
        let token = "XN6DtGUWabcdefghijklmnopqrstuvDc";
        ada.session().id("ses_1").token(token).create()
    });
    accept(&issuer, &session.cookie()).await;
    let key = forged.user().api_key().create();
    for (what, credential) in [
        ("cookie", forged.cookie()),
        ("cookie with cache", forged.cookie_cache()),
        ("signed token", forged.signed_token()),
        ("jwt", forged.jwt().mint()),
        ("secret jwt", forged.secret_jwt().mint()),
        ("API key", key.credential()),
    ] {
        refuse(&issuer, what, &credential, InvalidCredential).await;
    }
}

#[tokio::test]
async fn invalid_api_keys_are_rejected() {
    let issuer = TestDeployment::new();
    let ada = issuer.user("ada@example.com").create();
    for (what, key) in [
        ("disabled", ada.api_key().disabled()),
        ("expired", ada.api_key().expires_in(Duration::ZERO)),
        ("used up", ada.api_key().remaining(0)),
        ("other configuration", ada.api_key().configuration("internal")),
    ] {
        refuse(&issuer, what, &key.create().credential(), InvalidCredential).await;
    }
}

//! Environment variables for Better Auth's credentials.

use support::prelude::*;
use support::signer::claims_with;

use super::fixtures::{Counting, cookie, headers, value};

fn settings(variables: &[(&str, &str)]) -> Config {
    let environment: Env = variables.iter().copied().collect();
    Config::from_env(&environment).unwrap()
}

fn app(variables: &[(&str, &str)]) -> App {
    let builder = settings(variables).builder();
    App::of(builder.clock(clock()).store(Counting::new()))
}

#[tokio::test]
async fn base_url_sets_keys_and_issuer() {
    let signer = Signer::ed25519("k");
    let server = KeyServer::start(Reply::Body(jwks([&signer]))).await;
    let origin = server.origin();
    let app = app(&[("BETTER_AUTH_URL", &format!("{origin}/")), ("BETTER_AUTH_SECRET", SECRET)]);
    let ours = json!({ "iss": origin, "aud": origin });
    let token = signer.sign(&claims_with("usr_ada", &ours));
    app.accepts(&token, "its own", "usr_ada", "ses_ada").await;
    assert_eq!(app.identity().credential(), CredentialKind::Jwt);
    let other = signer.token_for("usr_ada");
    assert_eq!(app.send(&other).await.status, 401);
    let cookie = cookie();
    for (page, status) in [(origin.as_str(), 200), ("https://evil.example", 403)] {
        let all = headers(&[("cookie", cookie.as_bytes()), ("origin", page.as_bytes())]);
        assert_eq!(app.send(all).await.status, status, "{page}");
    }
}

#[tokio::test]
async fn keys_and_issuer_can_differ() {
    let signer = Signer::ed25519("k");
    let server = KeyServer::start(Reply::Body(jwks([&signer]))).await;
    let app = app(&[
        ("BETTER_AUTH_URL", "https://app.example.com"),
        ("BETTER_AUTH_JWKS_URL", &server.url()),
        ("BETTER_AUTH_JWKS_ISSUER", "https://issuer.example"),
        ("BETTER_AUTH_AUDIENCE", "https://api.example, https://other.example"),
    ]);
    for (iss, aud, status) in [
        ("https://issuer.example", "https://api.example", 200),
        ("https://issuer.example", "https://other.example", 200),
        ("https://issuer.example", "https://app.example.com", 401),
        ("https://app.example.com", "https://api.example", 401),
    ] {
        let claims = claims_with("usr_ada", &json!({ "iss": iss, "aud": aud }));
        let answer = app.send(&signer.sign(&claims)).await;
        assert_eq!(answer.status, status, "{iss} {aud}");
    }
}

/// Without a base URL, the issuer is the source of the keys.
#[tokio::test]
async fn issuer_binds_both_token_kinds() {
    let signer = Signer::ed25519("k");
    let server = KeyServer::start(Reply::Body(jwks([&signer]))).await;
    let issuer = "https://app.example.com";
    let app = app(&[("BETTER_AUTH_ISSUER", issuer), ("BETTER_AUTH_JWKS_URL", &server.url())]);
    for (iss, status) in [(issuer, 200), ("https://other.example", 401)] {
        let claims = claims_with("usr_ada", &json!({ "iss": iss, "aud": issuer }));
        assert_eq!(app.send(&signer.sign(&claims)).await.status, status, "{iss}");
    }
}

#[test]
fn https_issuer_replaces_base_url() {
    let (log, _guard) = CapturedLog::start();
    for (variables, stands_in) in [
        (vec![("BETTER_AUTH_ISSUER", "https://app.example.com")], true),
        (vec![("BETTER_AUTH_ISSUER", "http://localhost:3000")], false),
        (vec![("BETTER_AUTH_ISSUER", "https://app.example.com/")], false),
        (vec![("BETTER_AUTH_ISSUER", "https://app.example.com/api/auth")], false),
        (vec![("BETTER_AUTH_ISSUER", "my-app")], false),
        (
            vec![
                ("BETTER_AUTH_ISSUER", "https://app.example.com"),
                ("BETTER_AUTH_URL", "https://other.example.com"),
            ],
            false,
        ),
        (
            vec![
                ("BETTER_AUTH_ISSUER", "https://app.example.com"),
                ("BETTER_AUTH_JWKS_URL", "https://other.example.com/jwks"),
            ],
            false,
        ),
    ] {
        log.take();
        let _ = settings(&variables).builder();
        let text = log.take();
        assert_eq!(text.contains("using BETTER_AUTH_ISSUER"), stands_in, "{variables:?}: {text}");
    }
}

#[tokio::test]
async fn cookie_prefix_and_origins_are_read() {
    let variables = [
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_COOKIE_PREFIX", "my-app"),
        ("BETTER_AUTH_TRUSTED_ORIGINS", " https://a.example , https://*.shop.example,"),
    ];
    let settings = settings(&variables);
    for (origin, trusted) in [
        ("https://a.example", true),
        ("https://b.shop.example", true),
        ("https://b.example", false),
        ("null", false),
    ] {
        assert_eq!(settings.trusts_origin(origin), trusted, "{origin}");
    }
    let cookie = format!("my-app.session_token={}", value());
    let app = app(&variables);
    for (page, status) in [("https://b.shop.example", 200), ("https://b.example", 403)] {
        let all = headers(&[("cookie", cookie.as_bytes()), ("origin", page.as_bytes())]);
        assert_eq!(app.send(all).await.status, status, "{page}");
    }
}

#[tokio::test]
async fn credentials_are_required() {
    let environment: Env = [("DATABASE_URL", "sqlite:nowhere.sqlite")].into_iter().collect();
    let error = BetterAuthLayer::from_env(&environment).await.unwrap_err();
    assert_eq!(error.setting(), "BETTER_AUTH_SECRET");
    assert!(error.to_string().contains("BETTER_AUTH_URL"), "{error}");
    for variables in [
        [("BETTER_AUTH_URL", "https://app.example.com")],
        [("BETTER_AUTH_SECRET", SECRET)],
        [("BETTER_AUTH_API_KEYS", "on")],
    ] {
        assert!(settings(&variables).has_credentials(), "{variables:?}");
    }
    let off =
        settings(&[("BETTER_AUTH_API_KEYS", "off"), ("BETTER_AUTH_ISSUER", "https://a.example")]);
    assert!(!off.has_credentials());
}

/// The first secret signs, regardless of its number. The others are not accepted, as in Better
/// Auth.
#[tokio::test]
async fn first_versioned_secret_is_current() {
    let other = "another-secret-of-the-same-list";
    for (list, status) in [
        (format!("2:{SECRET},1:{other}"), 200),
        (format!(" 0 : {SECRET} , 9:{other}"), 200),
        (format!("1:{other},2:{SECRET}"), 401),
    ] {
        let app = app(&[("BETTER_AUTH_SECRETS", &list)]);
        let answer = app.send(Cookie(&cookie())).await;
        assert_eq!(answer.status, status, "{list}");
    }
}

#[test]
fn invalid_secret_list_is_rejected() {
    let good = "a-good-secret-of-this-deployment";
    for (list, says) in [
        ("2:better-auth-secret-12345678901234567890".to_owned(), "public default"),
        (format!("2:{good},1:better-auth-secret-12345678901234567890"), "public default"),
        (format!("2:{good},1:short"), "5 bytes"),
        (format!("2:{good},1:"), "empty"),
        (format!("2:{good},"), "entry 2"),
        (good.to_owned(), "entry 1"),
        (format!("-1:{good}"), "entry 1"),
        (format!("1.5:{good}"), "entry 1"),
        (format!("1:{good},1:{good}-2"), "version 1 twice"),
        (format!("1:{good},01:{good}-2"), "version 1 twice"),
    ] {
        let environment: Env = [("BETTER_AUTH_SECRETS", list.as_str())].into_iter().collect();
        let error = Config::from_env(&environment).unwrap_err();
        assert_eq!(error.setting(), "BETTER_AUTH_SECRETS", "{list}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(says), "{list}: {text}");
        assert!(!text.contains("a-good") && !text.contains("1234567890"), "{text}");
    }
}

//! Cross-origin requests of browsers.

use bytes::Bytes;
use http::{HeaderMap, Request, Version};
use http_body_util::Full;
use support::prelude::*;

use super::fixtures::{Counting, TOKEN, cookie, headers, layer};

const SITE: &str = "https://app.example.com";

/// A deployment behind https with one trusted pattern, and a cookie without the prefix.
fn app() -> App {
    let builder = layer().base_url(SITE).secure_cookies(false);
    App::of(builder.trusted_origin("https://*.shop.example"))
}

async fn send(app: &App, method: &str, all: HeaderMap) -> TestResponse {
    let mut request = Request::builder()
        .method(method)
        .uri("/support/chatkit")
        .body(Full::<Bytes>::default())
        .unwrap();
    *request.headers_mut() = all;
    app.request(request).await
}

fn with_cookie(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut all: Vec<(&'static str, Vec<u8>)> = vec![("cookie", cookie().into_bytes())];
    all.extend(pairs.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())));
    let borrowed: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    headers(&borrowed)
}

#[tokio::test]
async fn only_trusted_origins_may_write() {
    let app = app();
    for (pairs, passes) in [
        (vec![], true),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "same-origin, cross-site")], false),
        (vec![("origin", SITE)], true),
        (vec![("origin", "https://a.shop.example")], true),
        (vec![("origin", "https://shop.example")], false),
        (vec![("origin", "http://app.example.com")], false),
        (vec![("origin", "https://app.example.com.evil.test")], false),
        (vec![("origin", "https://app.example.com:8443")], false),
        (vec![("origin", "null")], false),
        (vec![("sec-fetch-site", "cross-site"), ("origin", "https://a.shop.example")], true),
        (vec![("sec-fetch-site", "cross-site"), ("origin", "null")], false),
        // Headers that a page can set are ignored.
        (vec![("referer", SITE), ("origin", "https://evil.test")], false),
        (vec![("x-forwarded-host", "evil.test"), ("origin", "https://evil.test")], false),
        (vec![("host", "evil.test"), ("origin", "https://evil.test")], false),
        (vec![("sec-fetch-mode", "no-cors"), ("sec-fetch-site", "cross-site")], false),
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = send(&app, method, with_cookie(&pairs)).await;
            let what = format!("{method} {pairs:?}");
            if passes {
                answer.assert_identity(&what, "usr_ada", "ses_ada");
            } else {
                answer.assert_rejected(&what, CrossOrigin);
            }
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            let answer = send(&app, method, with_cookie(&pairs)).await;
            assert_eq!(answer.status, 200, "{method} {pairs:?}");
        }
    }
}

#[tokio::test]
async fn websocket_upgrades_are_guarded() {
    let upgrade = ("upgrade", "websocket");
    let app = app();
    let answer = send(&app, "GET", with_cookie(&[upgrade, ("origin", "https://evil.test")])).await;
    answer.assert_rejected("a foreign page", CrossOrigin);
    let answer = send(&app, "GET", with_cookie(&[upgrade, ("origin", SITE)])).await;
    answer.assert_identity("a trusted page", "usr_ada", "ses_ada");
}

#[tokio::test]
async fn strict_mode_requires_an_origin() {
    let builder = layer().base_url(SITE).secure_cookies(false);
    let strict = App::of(builder.require_origin());
    let answer = send(&strict, "POST", with_cookie(&[])).await;
    answer.assert_rejected("nothing said", CrossOrigin);
    for pair in [("origin", SITE), ("sec-fetch-site", "same-origin")] {
        let answer = send(&strict, "POST", with_cookie(&[pair])).await;
        answer.assert_identity(pair.1, "usr_ada", "ses_ada");
    }
    let answer = send(&strict, "GET", with_cookie(&[])).await;
    answer.assert_identity("reading", "usr_ada", "ses_ada");
}

/// A page of another origin cannot set these headers.
#[tokio::test]
async fn non_browser_credentials_are_exempt() {
    let store = Counting::new();
    let key = ApiKey::new("key_ada", "usr_ada", ApiKeyHash::from_key("app_key"));
    store.store().insert_api_key(key);
    let app = App::of(builder(store).require_origin().api_keys(ApiKeys::new()));
    let foreign = ("origin", b"https://evil.test".as_slice());
    for (name, value) in [
        ("authorization", format!("Bearer {}", signed_session_token(TOKEN))),
        ("authorization", format!("Bearer {}", token_for("ada@example.com"))),
        ("x-api-key", "app_key".to_owned()),
    ] {
        let answer = send(&app, "POST", headers(&[foreign, (name, value.as_bytes())])).await;
        assert_eq!(answer.status, 200, "{name}");
        // An additional cookie does not enable the guard.
        let cookie = cookie();
        let all = headers(&[foreign, (name, value.as_bytes()), ("cookie", cookie.as_bytes())]);
        assert_eq!(send(&app, "POST", all).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn grpc_gets_a_grpc_status() {
    let app = app();
    let mut request = Request::post("/chat.Chat/Say")
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .body(Full::<Bytes>::default())
        .unwrap();
    request.headers_mut().extend(with_cookie(&[("origin", "https://evil.test")]));
    let answer = app.request(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("grpc-status"), Some("7"));
    assert_eq!(answer.kind, Some(CrossOrigin));
}

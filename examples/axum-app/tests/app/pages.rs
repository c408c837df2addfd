//! Preflight requests, cross-origin requests and path normalization.

use crate::client::{Headers, VERSIONS};
use crate::world::World;

const PAGES: &str = "https://app.example.com";
const FOREIGN: &str = "https://evil.test";

#[tokio::test]
async fn preflight_needs_no_credential() {
    let world = World::start().await;
    for version in VERSIONS {
        let client = world.client(version);
        let preflight = |origin| {
            Headers::default()
                .with("origin", origin)
                .with("access-control-request-method", "DELETE")
                .with("access-control-request-headers", "authorization")
        };
        let answer = client.send("OPTIONS", "/account", &preflight(PAGES)).await;
        assert_eq!(answer.status, 200, "{version:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGES));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        let answer = client
            .send("OPTIONS", "/account", &preflight(FOREIGN))
            .await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn rejections_have_cors_headers() {
    let world = World::start().await;
    for version in VERSIONS {
        let client = world.client(version);
        let from_page = Headers::default().with("origin", PAGES);
        let answer = client.get("/me", &from_page).await;
        assert_eq!(answer.status, 401, "{version:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGES));
    }
}

#[tokio::test]
async fn foreign_origin_cannot_use_cookie() {
    let world = World::start().await;
    for version in VERSIONS {
        let client = world.client(version);
        let close = |headers: Headers| {
            let client = &client;
            async move { client.send("DELETE", "/account", &headers).await }
        };
        let answer = close(Headers::of(&world.ada.cookie()).with("origin", FOREIGN)).await;
        assert_eq!(answer.status, 403, "{version:?}");
        assert_eq!(
            answer.body,
            r#"{"error": "Cross-origin request refused", "status": 403}"#
        );
        assert_eq!(
            close(Headers::of(&world.ada.cookie()).with("origin", PAGES))
                .await
                .status,
            200
        );
        // Browsers do not send tokens automatically.
        assert_eq!(
            close(Headers::of(&world.ada.signed_token()).with("origin", FOREIGN))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn path_variants_do_not_bypass_auth() {
    let world = World::start().await;
    for version in VERSIONS {
        let client = world.client(version);
        for path in ["/me", "/me/", "//me", "/me//", "/me?x"] {
            assert_eq!(
                client
                    .get(path, &Headers::of(&world.bob.signed_token()))
                    .await
                    .status,
                200,
                "{path}"
            );
            assert_eq!(
                client.get(path, &Headers::default()).await.status,
                401,
                "{path}"
            );
        }
        for path in [
            "/./me", "/x/../me", "/%6de", "/me%2f", "/ME", "/me;x=1", "/nowhere",
        ] {
            // Unauthenticated clients cannot probe for routes.
            assert_eq!(
                client.get(path, &Headers::default()).await.status,
                401,
                "{path}"
            );
            assert_eq!(
                client
                    .get(path, &Headers::of(&world.bob.signed_token()))
                    .await
                    .status,
                404,
                "{path}"
            );
        }
        for method in ["POST", "PUT", "TRACE", "BREW"] {
            let status = client.send(method, "/me", &Headers::default()).await.status;
            assert_eq!(status, 401, "{method}");
            let status = client
                .send(method, "/me", &Headers::of(&world.bob.signed_token()))
                .await
                .status;
            assert_eq!(status, 405, "{method}");
        }
    }
}

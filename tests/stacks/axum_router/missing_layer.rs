//! Routes without the layer.

use axum::Router;
use axum::routing::get;
use better_auth_layer::authorize::Policy;
use better_auth_layer::axum::Authorized;
use support::prelude::*;

use super::fixtures::{Credential, get as request, layer, send};

#[derive(Debug, Default)]
struct AllowAll;

impl Policy for AllowAll {
    fn allows(&self, _: &Identity) -> bool {
        true
    }
}

/// A route for each extractor.
fn routes() -> Router {
    Router::new()
        .route("/identity", get(|_: Identity| async { "reached" }))
        .route("/user", get(|_: User| async { "reached" }))
        .route("/session", get(|_: Session| async { "reached" }))
        .route("/optional", get(|_: Option<Identity>| async { "reached" }))
        .route("/authorized", get(|_: Authorized<AllowAll>| async { "reached" }))
}

const PATHS: [&str; 5] = ["/identity", "/user", "/session", "/optional", "/authorized"];

#[tokio::test]
async fn missing_layer_is_an_error_500() {
    let (log, _guard) = CapturedLog::start();
    for path in PATHS {
        for credential in [Credential::None, Credential::good()] {
            let answer = send(routes(), credential.on(request(path))).await;
            assert_eq!(answer.status, 500, "{path}: {answer:?}");
            assert_eq!(answer.kind, Some(MissingLayer), "{path}");
            assert_eq!(
                answer.body,
                r#"{"error": "Authentication is not set up for this route", "status": 500}"#,
                "{path}"
            );
            let text = log.take();
            let mut lines = text.lines();
            let line = lines.next().unwrap_or_default();
            assert!(line.contains("ERROR better_auth_layer"), "{path}: {text}");
            assert!(line.contains("BetterAuthLayer"), "{path}: {text}");
            assert!(line.contains(&format!("route={path:?}")), "{path}: {text}");
            assert!(line.contains("method=GET"), "{path}: {text}");
            assert_eq!(lines.next(), None, "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn layer_makes_routes_reachable() {
    for path in PATHS {
        let request = Credential::good().on(request(path));
        let answer = send(routes().layer(layer()), request).await;
        assert_eq!((answer.status, &*answer.body), (200, "reached"), "{path}");
    }
}

/// A layer on one route does not apply to the next one, not even on the same connection.
#[tokio::test]
async fn other_routes_identity_is_ignored() {
    let app = routes()
        .layer(layer())
        .merge(Router::new().route("/forgotten", get(|_: Option<Identity>| async { "reached" })));
    let answer = send(app, Credential::good().on(request("/forgotten"))).await;
    assert_eq!(answer.status, 500);
}

#[tokio::test]
async fn path_cannot_forge_log_fields() {
    let (log, _guard) = CapturedLog::start();
    let app = Router::new().route("/{*any}", get(|_: Identity| async {}));
    let answer = send(app, request("/\"outcome=\"ok")).await;
    assert_eq!(answer.status, 500);
    let text = log.take();
    assert!(text.contains(r#"route="/\"outcome=\"ok""#), "{text}");
}

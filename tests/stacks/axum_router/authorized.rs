//! `Authorized`, the extractor with a policy.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};
use better_auth_layer::authorize::{AuthorizeLayer, Policy, Role, SessionOnly};
use better_auth_layer::axum::Authorized;
use http::Version;
use support::prelude::*;

use super::fixtures::{Credential, ask, layer, send};

/// Only Ada is an administrator.
#[derive(Debug, Default)]
struct Admin;

impl Policy for Admin {
    fn allows(&self, identity: &Identity) -> bool {
        identity.user().roles().any(|role| role == "admin")
    }
}

async fn admin(Authorized(identity, Admin): Authorized<Admin>) -> String {
    identity.user().id().to_owned()
}

fn somebody() -> Credential {
    Credential::Bearer(token_for("several@example.com"))
}

#[tokio::test]
async fn policies_are_applied() {
    let (log, _guard) = CapturedLog::start();
    let app = Router::new().route("/", get(admin)).layer(layer());
    let optional = Router::new().route("/", get(admin)).layer(layer().optional());
    for app in [app, optional] {
        let answer = ask(&app, Credential::good()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "usr_ada"));

        log.take();
        let answer = ask(&app, somebody()).await;
        assert_eq!((answer.status, answer.kind), (403, Some(PermissionDenied)));
        assert_eq!(answer.body, r#"{"error": "Permission denied", "status": 403}"#);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("www-authenticate"), None);
        let text = log.take();
        assert!(text.contains("user_id=\"usr_several\"") && text.contains("Admin"), "{text}");

        for credential in [Credential::None, Credential::bad(), Credential::Basic] {
            let answer = ask(&app, credential.clone()).await;
            assert_eq!(answer.status, 401, "{credential:?}");
        }
    }
}

#[tokio::test]
async fn library_policies_are_extractors() {
    let show = |_: Authorized<SessionOnly>| async { "reached" };
    let app = Router::new().route("/", get(show)).layer(layer());
    assert_eq!(ask(&app, Credential::good()).await.status, 200);
    assert_eq!(ask(&app, Credential::ApiKey("app_of-ada")).await.status, 403);
}

#[tokio::test]
async fn layer_guards_a_route_or_router() {
    let admins = || AuthorizeLayer::new(Role::new("admin"));
    let show = |identity: Identity| async move { identity.user().id().to_owned() };
    for app in [
        Router::new().route("/", get(show).layer(admins())).layer(layer()),
        Router::new().route("/", get(show)).layer(admins()).layer(layer()),
        Router::new().route("/", get(show)).route_layer(admins()).layer(layer()),
    ] {
        assert_eq!(ask(&app, Credential::good()).await.status, 200);
        assert_eq!(ask(&app, somebody()).await.status, 403);
        assert_eq!(ask(&app, Credential::None).await.status, 401);
    }
    // The layers are in the wrong order.
    let backwards = Router::new().route("/", get(show)).layer(layer()).layer(admins());
    for credential in [Credential::good(), somebody(), Credential::None] {
        assert_eq!(ask(&backwards, credential).await.status, 500);
    }
}

#[tokio::test]
async fn grpc_client_gets_a_status() {
    let app = Router::new().route("/", post(admin)).layer(layer());
    let request = Request::post("/")
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .body(Body::empty())
        .unwrap();
    let answer = send(app, somebody().on(request)).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("7")));
}

//! The helpers for handlers: identity, optional identity, and policies.

use better_auth_layer::tonic::{authorize, identity, optional_identity};
use support::prelude::*;
use tonic::service::LayerExt as _;
use tonic::{Code, GrpcMethod, Request, Status};

use super::fixtures::{Door, HealthCheckRequest, HealthServer, ask, client, serve, user_id};

fn layer() -> BetterAuthLayer {
    builder(fixtures::memory()).build().unwrap()
}

#[tokio::test]
async fn helpers_return_the_identity() {
    let address = serve(layer().named_layer(HealthServer::new(Door::default())));
    let mut client = client(address);
    let ada = token_for(ADA);
    for what in ["who", "optional", "admin"] {
        let response = client.check(ask(what, Some(&ada))).await.unwrap();
        assert_eq!(user_id(&response), "usr_ada", "{what}");
    }
    let several = token_for("several@example.com");
    let status = client.check(ask("admin", Some(&several))).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(status.message(), "Permission denied");
}

#[tokio::test]
async fn optional_layer_rejects_invalid() {
    let optional = layer().optional();
    let address = serve(optional.named_layer(HealthServer::new(Door::default())));
    let mut client = client(address);
    let response = client.check(ask("optional", None)).await.unwrap();
    assert_eq!(user_id(&response), "nobody");
    let ada = token_for(ADA);
    let response = client.check(ask("optional", Some(&ada))).await.unwrap();
    assert_eq!(user_id(&response), "usr_ada");
    let status = client.check(ask("optional", Some("x.y.z"))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);

    // A helper rejects like the layer.
    for what in ["who", "admin"] {
        let status = client.check(ask(what, None)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{what}");
        assert_eq!(status.message(), "Invalid or expired JWT token", "{what}");
        assert_eq!(status.metadata().get("www-authenticate").unwrap(), "Bearer", "{what}");
    }
    let status = client.watch(ask("who", None)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn missing_layer_is_not_anonymous() {
    let address = serve(HealthServer::new(Door::default()));
    let mut client = client(address);
    let ada = token_for(ADA);
    for what in ["who", "optional", "admin"] {
        for token in [None, Some(&*ada)] {
            let status = client.check(ask(what, token)).await.unwrap_err();
            assert_eq!(status.code(), Code::Internal, "{what}");
            let expected = "Authentication is not set up for this route";
            assert_eq!(status.message(), expected, "{what}");
        }
    }
    let status = client.watch(ask("who", None)).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
}

/// A handler does not know its service and method, so the log needs another hint.
#[test]
fn log_names_the_handler() {
    type Handler = fn(&Request<HealthCheckRequest>) -> (Option<Status>, u32);
    let handlers: [Handler; 3] = [
        |request| (identity(request).err(), line!()),
        |request| (optional_identity(request).err(), line!()),
        |request| (authorize(request, &|_: &Identity| true).err(), line!()),
    ];
    for handler in handlers {
        let (log, _guard) = CapturedLog::start();
        let mut request = Request::new(HealthCheckRequest::default());
        let (status, line) = handler(&request);
        assert_eq!(status.unwrap().code(), Code::Internal);
        let text = log.take();
        for expected in [
            "ERROR",
            "has no BetterAuthLayer: call `Server::builder().layer(auth)`",
            r#"outcome="missing_layer""#,
            "HealthCheckRequest",
            &format!("handlers.rs:{line}:"),
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }

        request.extensions_mut().insert(GrpcMethod::new("board.v1.Board", "Post"));
        let _ = handler(&request);
        let text = log.text();
        for expected in [r#"service="board.v1.Board""#, r#"method="Post""#] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}

/// For code that uses the authenticator: the status matches the layer's response, with its headers.
#[tokio::test]
async fn rejection_becomes_a_status() {
    let reject = async |layer: BetterAuthLayer, token: &str| -> Status {
        let request = http::Request::post("/board.v1.Board/Post")
            .header("authorization", format!("Bearer {token}"))
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let rejection: Rejection = layer.authenticator().authenticate(&parts).await.unwrap_err();
        rejection.into()
    };
    let status = reject(layer(), "x.y.z").await;
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), "Invalid or expired JWT token");
    let challenge = status.metadata().get("www-authenticate").unwrap();
    assert_eq!(challenge, r#"Bearer error="invalid_token""#);

    let down = store_fn(|_| async { Err(StoreError::timeout()) });
    let status = reject(builder(down).build().unwrap(), &token_for(ADA)).await;
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.metadata().get("retry-after").unwrap(), "1");
    assert!(status.metadata().get("www-authenticate").is_none());
}

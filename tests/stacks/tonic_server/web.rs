//! gRPC-Web: an HTTP status for proxies, and a gRPC status behind a translating layer.

use http::Version;
use support::prelude::*;
use tonic::service::LayerExt as _;
use tonic_web::GrpcWebLayer;

use super::fixtures::{Door, HealthServer, Wire, serve};

fn layer() -> BetterAuthLayer {
    builder(fixtures::memory()).build().unwrap()
}

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

async fn call_web(address: std::net::SocketAddr, version: Version, token: Option<&str>) -> Wire {
    Wire::call(address, version, "Check", |headers| {
        headers.remove("te");
        headers.insert("content-type", "application/grpc-web+proto".parse().unwrap());
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
    })
    .await
}

#[tokio::test]
async fn plain_grpc_web_gets_http_status() {
    let address = serve(layer().named_layer(HealthServer::new(Door::default())));
    for version in VERSIONS {
        let wire = call_web(address, version, None).await;
        assert_eq!(wire.head.status, 401, "{version:?}");
        assert_eq!(wire.header("content-type"), Some("application/json"));
        assert_eq!(wire.header("grpc-status"), None);
        assert_eq!(wire.body, r#"{"error": "Invalid or expired JWT token", "status": 401}"#);
        let idle = token_for("no-session@example.com");
        let wire = call_web(address, version, Some(&idle)).await;
        assert_eq!(wire.head.status, 404, "{version:?}");
    }
}

/// HTTP/1.1 and HTTP/2 are alike: the status is in the headers, and there is no body.
#[tokio::test]
async fn translated_grpc_web_gets_status() {
    let service = layer().named_layer(HealthServer::new(Door::default()));
    let address = serve(GrpcWebLayer::new().named_layer(service));
    for version in VERSIONS {
        let wire = call_web(address, version, None).await;
        assert_eq!(wire.head.status, 200, "{version:?}: {wire:?}");
        assert_eq!(wire.header("grpc-status"), Some("16"), "{version:?}");
        assert_eq!(wire.header("grpc-message"), Some("Invalid or expired JWT token"));
        assert_eq!(wire.header("www-authenticate"), Some("Bearer"));
        assert!(wire.body.is_empty(), "{version:?}: {wire:?}");
        let idle = token_for("no-session@example.com");
        let wire = call_web(address, version, Some(&idle)).await;
        assert_eq!(wire.header("grpc-status"), Some("5"), "{version:?}");
        let ada = token_for("ada@example.com");
        let wire = call_web(address, version, Some(&ada)).await;
        assert_eq!(wire.head.status, 200, "{version:?}");
        assert_eq!(wire.header("user-id"), Some("usr_ada"), "{version:?}");
        // The trailers are the last frame of the body, marked by its first byte.
        let trailers = String::from_utf8_lossy(&wire.body);
        assert!(trailers.contains("grpc-status:0"), "{version:?}: {trailers:?}");
    }
}

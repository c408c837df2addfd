//! With tonic's layers: all services, limits, deadlines, interceptors, compression.

use std::sync::atomic::{AtomicUsize, Ordering};
use support::prelude::*;

use http::Version;
use tokio::task::JoinSet;
use tonic::codec::CompressionEncoding;
use tonic::service::{InterceptorLayer, LayerExt as _};
use tonic::transport::Server;
use tonic::{Code, Request, Status};

use super::fixtures::{
    Door, HealthClient, HealthServer, Wire, ask, client, listen, serve, user_id,
};

fn layer() -> BetterAuthLayer {
    builder(fixtures::memory()).build().unwrap()
}

#[tokio::test]
async fn server_layer_covers_everything() {
    let (incoming, address) = listen();
    let server = Server::builder().layer(layer()).add_service(HealthServer::new(Door::default()));
    tokio::spawn(server.serve_with_incoming(incoming));
    let ada = token_for(ADA);
    let response = client(address).check(ask("who", Some(&ada))).await.unwrap();
    assert_eq!(user_id(&response), "usr_ada");
    for method in ["Check", "Watch", "Nothing", "../../other.Service/Method"] {
        let wire = Wire::call(address, Version::HTTP_2, method, |_| {}).await;
        assert_eq!(wire.header("grpc-status"), Some("16"), "{method}");
        assert!(wire.headers_only, "{method}");
    }
}

#[tokio::test]
async fn metadata_is_unchanged() {
    let address = serve(layer().named_layer(HealthServer::new(Door::default())));
    let ada = token_for(ADA);
    let mut request = ask("who", Some(&ada));
    let metadata = request.metadata_mut();
    metadata.insert("x-text", "a b".parse().unwrap());
    metadata.append("x-text", "c".parse().unwrap());
    let bytes = tonic::metadata::MetadataValue::from_bytes(&[0, 159, 255]);
    metadata.insert_bin("x-bytes-bin", bytes.clone());
    let response = client(address).check(request).await.unwrap();
    let seen = response.metadata();
    let texts: Vec<_> = seen.get_all("x-text").iter().collect();
    assert_eq!(texts, ["a b", "c"]);
    assert_eq!(seen.get_bin("x-bytes-bin"), Some(&bytes));
    assert_eq!(seen.get("authorization").unwrap(), &format!("Bearer {ada}"));
}

#[tokio::test]
async fn interceptors_work_on_both_sides() {
    fn inside(mut request: Request<()>) -> Result<Request<()>, Status> {
        let identity = request.extensions().get::<Identity>();
        let id = identity.ok_or_else(|| Status::internal("nobody"))?.user().id();
        let id = id.parse().unwrap();
        request.metadata_mut().insert("x-seen", id);
        Ok(request)
    }
    fn outside(mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = request.metadata_mut().remove("x-token") {
            let bearer = format!("Bearer {}", token.to_str().unwrap());
            request.metadata_mut().insert("authorization", bearer.parse().unwrap());
        }
        Ok(request)
    }
    let service = HealthServer::with_interceptor(Door::default(), inside);
    let service = layer().named_layer(service);
    let address = serve(InterceptorLayer::new(outside).named_layer(service));
    let mut request = ask("who", None);
    let token = token_for(ADA).parse().unwrap();
    request.metadata_mut().insert("x-token", token);
    let response = client(address).check(request).await.unwrap();
    assert_eq!(response.metadata().get("x-seen").unwrap(), "usr_ada");
    let status = client(address).check(ask("who", None)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn limits_exclude_rejections() {
    let (incoming, address) = listen();
    let server = Server::builder()
        .concurrency_limit_per_connection(1)
        .load_shed(false)
        .timeout(Duration::from_secs(30))
        .layer(tower::limit::ConcurrencyLimitLayer::new(2))
        .layer(layer())
        .layer(tower::limit::ConcurrencyLimitLayer::new(1))
        .add_service(HealthServer::new(Door::default()));
    tokio::spawn(server.serve_with_incoming(incoming));
    let client = client(address);
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let mut client = client.clone();
        calls.spawn(async move {
            let ada = token_for(ADA);
            let token = (number % 2 == 0).then_some(&*ada);
            let outcome = client.check(ask("who", token)).await;
            (token.is_some(), outcome.map_err(|status| status.code()))
        });
    }
    let outcomes = tokio::time::timeout(Duration::from_secs(20), calls.join_all()).await;
    for (signed_in, outcome) in outcomes.expect("no call waits for ever") {
        match outcome {
            Ok(response) => assert!(signed_in && user_id(&response) == "usr_ada"),
            Err(code) => assert!(!signed_in && code == Code::Unauthenticated),
        }
    }
}

struct Leaves(Arc<AtomicUsize>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A store that never completes, and the number of waiting lookups.
fn hanging() -> (BetterAuthLayer, Arc<AtomicUsize>) {
    let waiting = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&waiting);
    let store = store_fn(move |_| {
        let counted = Arc::clone(&counted);
        async move {
            counted.fetch_add(1, Ordering::SeqCst);
            let _leaves = Leaves(counted);
            std::future::pending::<Result<Resolution, StoreError>>().await
        }
    });
    (builder(store).build().unwrap(), waiting)
}

/// The deadlines of server and client apply during a lookup, and nothing is left behind.
#[tokio::test]
async fn deadline_ends_a_lookup() {
    let ada = token_for(ADA);
    let soon = Duration::from_millis(50);
    for of_the_server in [true, false] {
        let (layer, waiting) = hanging();
        let (incoming, address) = listen();
        let mut server = Server::builder();
        if of_the_server {
            server = server.timeout(soon);
        }
        let server = server.layer(layer).add_service(HealthServer::new(Door::default()));
        tokio::spawn(server.serve_with_incoming(incoming));
        let mut request = ask("who", Some(&ada));
        if !of_the_server {
            request.set_timeout(soon);
        }
        let call = client(address).check(request).await;
        let code = call.unwrap_err().code();
        assert!(matches!(code, Code::Cancelled | Code::DeadlineExceeded), "{code:?}");
        let gone = async {
            while waiting.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        };
        let gone = tokio::time::timeout(Duration::from_secs(5), gone).await;
        assert!(gone.is_ok(), "of the server: {of_the_server}");
    }
}

#[tokio::test]
async fn compression_is_unchanged() {
    let gzip = CompressionEncoding::Gzip;
    let service = HealthServer::new(Door::default()).accept_compressed(gzip).send_compressed(gzip);
    let address = serve(layer().named_layer(service));
    let mut client: HealthClient<_> = client(address).send_compressed(gzip).accept_compressed(gzip);
    let ada = token_for(ADA);
    let response = client.check(ask("who", Some(&ada))).await.unwrap();
    assert_eq!(user_id(&response), "usr_ada");
    assert_eq!(response.metadata().get("grpc-encoding").unwrap(), "gzip");
    let status = client.check(ask("who", None)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(status.metadata().get("grpc-encoding").is_none());
}

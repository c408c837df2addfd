//! The services, boxes, bodies and makers of Tower and hyper that the layer can wrap. The guide's
//! page on bounds lists those it cannot wrap.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use support::prelude::*;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use http_body::{Body, Frame};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::make::{MakeService, Shared};
use tower::util::{BoxCloneService, BoxCloneSyncService};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};

fn layer() -> BetterAuthLayer {
    builder(fixtures::memory()).build().unwrap()
}

fn good<B>(body: B) -> Request<B> {
    let token = token_for("ada@example.com");
    let request = Request::post("/").header("authorization", format!("Bearer {token}"));
    request.body(body).unwrap()
}

fn bad<B>(body: B) -> Request<B> {
    Request::post("/").body(body).unwrap()
}

async fn text<B: Body<Data = Bytes, Error: std::fmt::Debug>>(response: Response<B>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.into()).unwrap()
}

/// The user, for every kind of request.
async fn whoami<B>(request: Request<B>) -> Result<Response<String>, Infallible> {
    let identity = Identity::from_extensions(request.extensions()).unwrap();
    Ok(Response::new(identity.user().id().to_owned()))
}

/// Asserts that a valid request reaches the service and an anonymous one does not.
async fn holds<S, B>(service: S)
where
    S: Service<Request<String>, Response = Response<B>, Error: std::fmt::Debug> + Clone,
    B: Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let response = service.clone().oneshot(good(String::new())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "usr_ada");
    let response = service.oneshot(bad(String::new())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(text(response).await, r#"{"error": "Invalid or expired JWT token", "status": 401}"#);
}

#[tokio::test]
async fn wraps_functions_and_builders() {
    holds(layer().layer(service_fn(whoami))).await;
    holds(ServiceBuilder::new().layer(layer()).service(service_fn(whoami))).await;
    holds(ServiceBuilder::new().layer(layer()).service_fn(whoami::<String>)).await;
    // The layer in a pair of layers.
    let pair = (tower::layer::util::Identity::new(), layer());
    holds(pair.layer(service_fn(whoami))).await;
}

#[tokio::test]
async fn wraps_boxes_both_ways() {
    type Inner = BoxCloneService<Request<String>, Response<String>, Infallible>;
    let inner: Inner = BoxCloneService::new(service_fn(whoami));
    let outer: BoxCloneService<_, Response<ResponseBody<String>>, _> =
        BoxCloneService::new(layer().layer(inner));
    holds(outer).await;

    type SyncInner = BoxCloneSyncService<Request<String>, Response<String>, Infallible>;
    let inner: SyncInner = BoxCloneSyncService::new(service_fn(whoami));
    let outer = BoxCloneSyncService::new(layer().layer(inner));
    holds(outer.clone()).await;
    is_sync(&outer);

    let boxed_layer = tower::util::BoxCloneServiceLayer::new(layer());
    holds(boxed_layer.layer(service_fn(whoami))).await;
}

fn is_sync<T: Send + Sync + 'static>(_: &T) {}

/// A service without `Clone` and with a counter.
struct Counter(u64);

impl Service<Request<String>> for Counter {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        self.0 += 1;
        ready(Ok(Response::new(self.0.to_string())))
    }
}

#[tokio::test]
async fn wraps_a_buffer() {
    let service = ServiceBuilder::new().layer(layer()).buffer(8).service(Counter(0));
    for count in ["1", "2", "3"] {
        let response = service.clone().oneshot(bad(String::new())).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let response = service.clone().oneshot(good(String::new())).await.unwrap();
        assert_eq!(text(response).await, count, "a rejected request was counted");
    }
}

#[tokio::test]
async fn per_connection_or_shared() {
    let peer: SocketAddr = "192.0.2.7:4711".parse().unwrap();

    let mut shared = Shared::new(layer().layer(service_fn(whoami)));
    for _ in 0..2 {
        let service = MakeService::<_, Request<String>>::make_service(&mut shared, peer);
        holds(service.await.unwrap()).await;
    }

    let auth = layer();
    let mut each = service_fn(move |peer: SocketAddr| {
        let greet = move |_: Request<String>| {
            ready(Ok::<_, Infallible>(Response::new(format!("hello {peer}"))))
        };
        ready(Ok::<_, Infallible>(auth.layer(service_fn(greet))))
    });
    let service = MakeService::make_service(&mut each, peer).await.unwrap();
    let response = service.clone().oneshot(good(String::new())).await.unwrap();
    assert_eq!(text(response).await, "hello 192.0.2.7:4711");
    let response = service.oneshot(bad(String::new())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn wraps_every_body_type() {
    let boxed = async |request: Request<BoxBody<Bytes, Infallible>>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    };
    let request = good(Full::from("boxed").boxed());
    let response = layer().layer(service_fn(boxed)).oneshot(request).await;
    assert_eq!(text(response.unwrap()).await, "boxed");

    let unsync = async |request: Request<UnsyncBoxBody<Bytes, BoxError>>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    };
    let body = Full::from("unsync").map_err(BoxError::from).boxed_unsync();
    let response = layer().layer(service_fn(unsync)).oneshot(good(body)).await;
    assert_eq!(text(response.unwrap()).await, "unsync");

    let full = async |request: Request<Full<Bytes>>| {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    };
    let request = good(Full::from("full"));
    let response = layer().layer(service_fn(full)).oneshot(request).await;
    let body = response.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(4));

    // The service of the layer can be boxed.
    let inner = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("anything")))
    });
    for request in [good(()), bad(())] {
        let response = layer().layer(inner).oneshot(request).await.unwrap();
        let _: Response<BoxBody<Bytes, Infallible>> = response.map(BodyExt::boxed);
    }
}

/// A request and a response without a body type: the layer requires none.
#[tokio::test]
async fn wraps_a_service_without_body() {
    let service =
        layer().layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(()))));
    let response = service.oneshot(good(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

/// Serves HTTP/1.1 and HTTP/2 on a socket.
async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                // A client that disconnects is an error here.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

fn client(version: Version) -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).http2_only(version == Version::HTTP_2).build_http()
}

async fn ask(
    address: SocketAddr,
    version: Version,
    mut request: Request<Full<Bytes>>,
) -> Response<Incoming> {
    *request.version_mut() = version;
    *request.uri_mut() = format!("http://{address}/").parse().unwrap();
    client(version).request(request).await.unwrap()
}

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

#[tokio::test]
async fn socket_body_is_unchanged() {
    let echo =
        async |request: Request<Incoming>| Ok::<_, Infallible>(Response::new(request.into_body()));
    let address = serve(layer().layer(service_fn(echo))).await;
    let long = "many bytes, ".repeat(100_000);
    for version in VERSIONS {
        let response = ask(address, version, good(Full::from(long.clone()))).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(text(response).await == long, "{version:?}");
        let response = ask(address, version, bad(Full::from("unread"))).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{version:?}");
    }
}

#[tokio::test]
async fn socket_stream_keeps_trailers() {
    let stream = async |_: Request<Incoming>| {
        let mut trailers = HeaderMap::new();
        trailers.insert("checksum", HeaderValue::from_static("4711"));
        let frames = ["one, ", "two"].map(|text| Frame::data(Bytes::from(text)));
        let frames = frames.into_iter().chain([Frame::trailers(trailers)]);
        let body = StreamBody::new(Frames(frames.collect::<Vec<_>>().into_iter()));
        let response = Response::builder().header("trailer", "checksum");
        response.body(body)
    };
    let address = serve(layer().layer(service_fn(stream))).await;
    for version in VERSIONS {
        let mut request = good(Full::default());
        // HTTP/1.1 sends trailers only on request.
        request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        let response = ask(address, version, request).await;
        let collected = response.into_body().collect().await.unwrap();
        let trailers = collected.trailers().expect("trailers").clone();
        assert_eq!(trailers["checksum"], "4711", "{version:?}");
        assert_eq!(collected.to_bytes(), "one, two");
    }
}

/// A stream of existing frames.
struct Frames(std::vec::IntoIter<Frame<Bytes>>);

impl futures_core::Stream for Frames {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

#[tokio::test]
async fn socket_empty_body_has_no_length() {
    let empty = async |_: Request<Incoming>| {
        let response = Response::builder().status(StatusCode::NO_CONTENT);
        response.body(Empty::<Bytes>::new())
    };
    let address = serve(layer().layer(service_fn(empty))).await;
    for version in VERSIONS {
        let response = ask(address, version, good(Full::default())).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{version:?}");
        assert_eq!(text(response).await, "");
    }
}

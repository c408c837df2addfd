//! The layer in Tower: readiness, errors, cancellation, bodies, gRPC; under axum and on a bare hyper service.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use support::prelude::*;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::{Notify, Semaphore};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};

fn layer() -> BetterAuthLayer {
    builder(fixtures::memory()).build().unwrap()
}

fn request<B>(body: B, token: Option<&str>) -> Request<B> {
    let mut request = Request::post("/support/chatkit");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(body).unwrap()
}

fn good<B>(body: B) -> Request<B> {
    request(body, Some(&token_for("ada@example.com")))
}

/// Waits until a service is ready for a request without a body.
async fn ready<S: Service<Request<()>>>(service: &mut S) -> Result<&mut S, S::Error> {
    ServiceExt::<Request<()>>::ready(service).await
}

/// Panics if the called instance is not ready. Its clone is not ready.
#[derive(Debug, Default)]
struct Touchy {
    ready: bool,
}

impl Clone for Touchy {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl<B> Service<Request<B>> for Touchy {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        std::future::ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn polled_instance_is_called() {
    let mut service = layer().layer(Touchy::default());
    for _ in 0..3 {
        let response = ready(&mut service).await.unwrap().call(good(())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn works_with_limits_and_buffers() {
    let stack = ServiceBuilder::new()
        .layer(layer())
        .load_shed()
        .buffer::<Request<Full<Bytes>>>(4)
        .concurrency_limit(1)
        .service(Touchy::default());
    for _ in 0..20 {
        let response = stack.clone().oneshot(good(Full::default())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    let around = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(2)
        .layer(layer())
        .service(Touchy::default());
    for _ in 0..20 {
        let response = around.clone().oneshot(good(())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn rejection_frees_its_permit() {
    let service =
        ServiceBuilder::new().layer(layer()).concurrency_limit(1).service(Touchy::default());
    let mut first = service.clone();
    let held = ready(&mut first).await.unwrap().call(request((), None)).await.unwrap();
    assert_eq!(held.status(), StatusCode::UNAUTHORIZED);
    // The rejection is still pending, but its permit is free. Otherwise this would hang.
    let mut second = service.clone();
    let waited = tokio::time::timeout(Duration::from_secs(5), ready(&mut second)).await;
    let response = waited.expect("a free place").unwrap().call(good(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    drop(held);
}

#[derive(Clone, Debug)]
struct Broken;

impl<B> Service<Request<B>> for Broken {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Self::Response, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Err("not ready, and never will be"))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        std::future::ready(Err("broken"))
    }
}

#[tokio::test]
async fn inner_errors_are_unchanged() {
    let mut service = layer().layer(Broken);
    let error: &'static str = ready(&mut service).await.map(|_| ()).unwrap_err();
    assert_eq!(error, "not ready, and never will be");
    assert_eq!(service.call(good(())).await.map(|_| ()).unwrap_err(), "broken");
    // A rejection is a response, and the inner service is not called.
    let response = service.call(request((), None)).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn cancellation_ends_the_lookup() {
    struct Leaves(Arc<AtomicUsize>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let (running, places) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(3)));
    let (counted, taken) = (Arc::clone(&running), Arc::clone(&places));
    let store = store_fn(move |_| {
        let (counted, taken) = (Arc::clone(&counted), Arc::clone(&taken));
        async move {
            let _place = taken.acquire_owned().await;
            counted.fetch_add(1, Ordering::SeqCst);
            let _leaves = Leaves(counted);
            std::future::pending::<Result<Resolution, StoreError>>().await
        }
    });
    let body_dropped = Arc::new(AtomicUsize::new(0));
    let service = builder(store).build().unwrap().layer(Touchy::default());
    for _ in 0..50 {
        body_dropped.fetch_add(1, Ordering::SeqCst);
        let body = Leaves(Arc::clone(&body_dropped));
        let mut call = Box::pin(service.clone().oneshot(good(body)));
        std::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(running.load(Ordering::SeqCst), 1);
        drop(call);
        assert_eq!(running.load(Ordering::SeqCst), 0);
    }
    assert_eq!(body_dropped.load(Ordering::SeqCst), 0);
    assert_eq!(places.available_permits(), 3);
}

/// A body that must not be read by the layer.
#[derive(Debug)]
struct Untouched {
    may_be_read: Arc<AtomicBool>,
}

impl Body for Untouched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        assert!(self.may_be_read.load(Ordering::SeqCst), "the body was touched");
        Poll::Ready(None)
    }
}

#[tokio::test]
async fn request_is_forwarded_unchanged() {
    let may_be_read = Arc::new(AtomicBool::new(false));
    let inner = service_fn(|request: Request<Untouched>| async move {
        assert_eq!(request.method(), Method::PUT);
        assert_eq!(request.uri(), "/a//b?c=d");
        assert_eq!(request.headers()["x-one"], "1");
        assert!(request.headers().contains_key("authorization"));
        assert_eq!(request.extensions().get::<u32>(), Some(&7));
        let identity = request.extensions().get::<Identity>().unwrap();
        assert_eq!(identity.credential(), CredentialKind::SecretJwt);
        assert_eq!(identity.user().email(), "ada@example.com");
        assert!(identity.claims_json().unwrap().contains("ada@example.com"));
        request.body().may_be_read.store(true, Ordering::SeqCst);
        request.into_body().collect().await?;
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = layer().layer(inner);
    let body = || Untouched { may_be_read: Arc::clone(&may_be_read) };
    let mut passing = good(body());
    *passing.method_mut() = Method::PUT;
    *passing.uri_mut() = "/a//b?c=d".parse().unwrap();
    passing.headers_mut().insert("x-one", "1".parse().unwrap());
    passing.extensions_mut().insert(7_u32);
    assert_eq!(service.clone().oneshot(passing).await.unwrap().status(), StatusCode::OK);
    may_be_read.store(false, Ordering::SeqCst);
    let refused = service.oneshot(request(body(), None)).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
}

/// The identity does not come from this layer.
#[tokio::test]
async fn forged_identity_is_removed() {
    let planted = {
        let (parts, ()) = good(()).into_parts();
        layer().authenticator().authenticate(&parts).await.unwrap()
    };
    let seen = service_fn(|request: Request<()>| async move {
        let identity = request.extensions().get::<Identity>().unwrap();
        Ok::<_, Infallible>(Response::new(identity.user().id().to_owned()))
    });
    let service = layer().layer(seen);
    let mut anonymous = request((), None);
    anonymous.extensions_mut().insert(planted.clone());
    let response = service.clone().oneshot(anonymous).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let mut edge = request((), Some(&token_for("edge@example.com")));
    edge.extensions_mut().insert(planted);
    let response = service.oneshot(edge).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn response_body_is_unchanged() {
    let inner = service_fn(|_: Request<()>| async {
        let frames = [
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"one "))),
            Ok(Frame::data(Bytes::from_static(b"two"))),
            Ok(Frame::trailers(
                [("x-end".parse().unwrap(), "yes".parse().unwrap())].into_iter().collect(),
            )),
        ];
        let body = StreamBody::new(tower_stream(frames));
        Ok::<_, Infallible>(Response::new(body))
    });
    let response = layer().layer(inner).oneshot(good(())).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-end"], "yes");
    assert_eq!(collected.to_bytes(), "one two");

    let sized = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::from("12345")))
    });
    let service = layer().layer(sized);
    let response = service.clone().oneshot(good(())).await.unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(5));
    assert!(!response.body().is_end_stream());
    let refusal = service.oneshot(request((), None)).await.unwrap();
    assert_eq!(refusal.body().size_hint().exact(), Some(56));
    assert!(!refusal.body().is_end_stream());
    let empty = ResponseBody::<StreamingOnly>::default();
    assert!(empty.is_end_stream());
    assert_eq!(empty.size_hint().exact(), Some(0));
}

/// A body without `Default`.
struct StreamingOnly;

impl Body for StreamingOnly {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A stream of ready items.
fn tower_stream<T: Unpin, const N: usize>(items: [T; N]) -> impl futures_core::Stream<Item = T> {
    struct Items<T>(std::collections::VecDeque<T>);
    impl<T: Unpin> futures_core::Stream for Items<T> {
        type Item = T;
        fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
            Poll::Ready(self.0.pop_front())
        }
    }
    Items(items.into_iter().collect())
}

#[tokio::test]
async fn grpc_rejection_is_trailers_only() {
    let service = layer().layer(Touchy::default());
    let grpc = |content_type: &str, version: Version, method: Method, token: Option<&str>| {
        let mut request = request((), token);
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        *request.version_mut() = version;
        *request.method_mut() = method;
        request
    };
    let nobody = token_for("nobody@example.com");
    let idle = token_for("no-session@example.com");
    let banned = token_for("banned@example.com");
    for (token, status, message, challenge) in [
        (None, "16", "Invalid or expired JWT token", Some("Bearer")),
        (
            Some("x.y.z"),
            "16",
            "Invalid or expired JWT token",
            Some(r#"Bearer error="invalid_token""#),
        ),
        (Some(&*nobody), "5", "User not found with provided email", None),
        (Some(&*idle), "5", "No active sessions found for user", None),
        (Some(&*banned), "7", "User is banned", None),
    ] {
        for content_type in
            ["application/grpc", "application/grpc+proto", "application/grpc;charset=x"]
        {
            let request = grpc(content_type, Version::HTTP_2, Method::POST, token);
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            let header =
                |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("content-type"), Some("application/grpc"));
            assert_eq!(header("grpc-status"), Some(status));
            assert_eq!(header("grpc-message"), Some(message));
            assert_eq!(header("www-authenticate"), challenge);
            assert_eq!(header("cache-control"), Some("no-store"));
            assert!(response.body().is_end_stream());
        }
    }
    // HTTP/3, and a request that another layer has translated from gRPC-Web.
    let mut translated = grpc("application/grpc", Version::HTTP_11, Method::POST, None);
    let trailers = "trailers".parse().unwrap();
    translated.headers_mut().insert("te", trailers);
    for request in [grpc("application/grpc", Version::HTTP_3, Method::POST, None), translated] {
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "16");
    }
    for request in [
        grpc("application/grpc", Version::HTTP_11, Method::POST, None),
        grpc("application/grpc", Version::HTTP_2, Method::GET, None),
        grpc("application/grpc-web", Version::HTTP_2, Method::POST, None),
        grpc("application/grpcx", Version::HTTP_2, Method::POST, None),
        grpc("application/json", Version::HTTP_2, Method::POST, None),
    ] {
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.extensions().get(), Some(&MissingCredential));
    }
    let down = builder(store_fn(|_| async { Err(StoreError::timeout()) }))
        .build()
        .unwrap()
        .layer(Touchy::default());
    let request = grpc(
        "application/grpc",
        Version::HTTP_2,
        Method::POST,
        Some(&token_for("ada@example.com")),
    );
    let response = down.oneshot(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "14");
    assert_eq!(response.headers()["retry-after"], "1");
}

#[tokio::test]
async fn axum_router_is_protected() {
    use axum::routing::post;
    let app =
        axum::Router::new()
            .route(
                "/support/chatkit",
                post(|identity: axum::Extension<Identity>| async move {
                    identity.user().id().to_owned()
                }),
            )
            .fallback(|| async { "fallback" })
            .layer(layer());
    for (path, method) in [
        ("/support/chatkit", Method::POST),
        ("/support/chatkit", Method::GET),
        ("/support/chatkit", Method::OPTIONS),
        ("/support/chatkit/", Method::POST),
        ("//support/chatkit", Method::POST),
        ("/support/%63hatkit", Method::POST),
        ("/nowhere", Method::GET),
        ("/", Method::HEAD),
    ] {
        let request = Request::builder()
            .uri(path)
            .method(method.clone())
            .body(axum::body::Body::empty())
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    let response = app.oneshot(good(axum::body::Body::empty())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "usr_ada");
}

/// A bare hyper server over a real socket, HTTP/1.1 and HTTP/2.
#[tokio::test]
async fn bare_hyper_is_served() {
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto;
    use hyper_util::service::TowerToHyperService;

    let inner = service_fn(|request: Request<hyper::body::Incoming>| async move {
        let user_id =
            request.extensions().get::<Identity>().map(|identity| identity.user().id().to_owned());
        let body = request.into_body().collect().await?.to_bytes();
        let answer = format!("{} sent {} bytes", user_id.unwrap_or_default(), body.len());
        Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::from(answer)))
    });
    let service = layer().layer(inner);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let server = tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted.unwrap().0,
                () = stopped.notified() => return,
            };
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                server.serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    for http2 in [false, true] {
        let client =
            Client::builder(TokioExecutor::new()).http2_only(http2).build_http::<Full<Bytes>>();
        let send = async |token: Option<&str>| {
            let mut request = request(Full::from("12345"), token);
            *request.uri_mut() = format!("http://{address}/support/chatkit").parse().unwrap();
            *request.version_mut() = if http2 { Version::HTTP_2 } else { Version::HTTP_11 };
            let response = client.request(request).await.unwrap();
            let status = response.status();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
        };
        let ada = token_for("ada@example.com");
        assert_eq!(send(Some(&ada)).await, (200, "usr_ada sent 5 bytes".to_owned()));
        let forged =
            sign_raw(HEADER, claims("ada@example.com").to_string(), "somebody-elses-secret");
        let unauthorized =
            (401, r#"{"error": "Invalid or expired JWT token", "status": 401}"#.to_owned());
        assert_eq!(send(Some(&forged)).await, unauthorized);
        assert_eq!(send(None).await, unauthorized);
        let nobody = token_for("nobody@example.com");
        let not_found =
            r#"{"error": "User not found with provided email", "status": 404}"#.to_owned();
        assert_eq!(send(Some(&nobody)).await, (404, not_found));
    }
    stop.notify_one();
    server.await.unwrap();
}

/// Boxed services.
#[tokio::test]
async fn service_is_boxable_and_clonable() {
    let service =
        ServiceBuilder::new().layer(layer()).service(service_fn(|_: Request<Full<Bytes>>| async {
            Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("ok")))
        }));
    let boxed = service.map_response(|response| response.map(BodyExt::boxed)).boxed_clone();
    let response = boxed.clone().oneshot(good(Full::default())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let response =
        tokio::spawn(boxed.oneshot(request(Full::default(), None))).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

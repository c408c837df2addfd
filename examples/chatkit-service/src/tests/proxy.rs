//! The proxy in front of an HTTP server on the loopback interface.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, request};
use http_body_util::{BodyExt as _, Channel, Empty, Full, channel::Sender};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::Proxy;

/// Longer than any step of a test.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that sends every request to the test.
struct Upstream {
    url: String,
    requests: mpsc::UnboundedReceiver<Received>,
    connections: mpsc::UnboundedReceiver<()>,
}

/// A request at the upstream, and the sender for the response body. The status is 200.
struct Received {
    head: request::Parts,
    body: Incoming,
    answer: Sender<Bytes, Infallible>,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests_in, requests) = mpsc::unbounded_channel();
        let (connections_in, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let _ = connections_in.send(());
                let requests_in = requests_in.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let (head, body) = request.into_parts();
                    let (answer, answer_body) = Channel::<Bytes, Infallible>::new(1);
                    let _ = requests_in.send(Received { head, body, answer });
                    let response = Response::builder()
                        .header("content-type", "text/event-stream; charset=utf-8")
                        .header("connection", "x-hop")
                        .header("x-hop", "1")
                        .header("keep-alive", "timeout=5")
                        .header("x-own", "kept");
                    async move { response.body(answer_body) }
                });
                tokio::spawn(
                    http1::Builder::new().serve_connection(TokioIo::new(connection), service),
                );
            }
        });
        Self {
            url,
            requests,
            connections,
        }
    }

    async fn next(&mut self) -> Received {
        timeout(PATIENCE, self.requests.recv())
            .await
            .unwrap()
            .unwrap()
    }
}

async fn frame(
    body: &mut (impl http_body::Body<Data = Bytes, Error: std::fmt::Debug> + Unpin),
) -> Bytes {
    let frame = timeout(PATIENCE, body.frame()).await.unwrap();
    frame.unwrap().unwrap().into_data().unwrap()
}

fn post(path: &str) -> request::Builder {
    Request::post(path)
}

/// Sends a request of alice without a body. Returns its head at the upstream, and the response's
/// headers.
async fn seen(
    upstream: &mut Upstream,
    proxy: &Proxy,
    request: request::Builder,
) -> (request::Parts, HeaderMap) {
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = proxy.handle("alice", "alice@example.com", request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let received = upstream.next().await;
    drop(received.answer);
    let (head, body) = response.into_parts();
    body.collect().await.unwrap();
    (received.head, head.headers)
}

#[tokio::test]
async fn only_the_proxy_sets_user_headers() {
    let mut upstream = Upstream::start().await;
    let proxy = Proxy::new(&upstream.url).unwrap();
    let request = post("/support/chatkit")
        .header("x-user-id", "mallory")
        .header("X-User-Id", "mallory, too")
        .header("x-user-email", "mallory@example.com")
        .header("x_user_id", "mallory")
        .header("X-User_Id", "mallory")
        .header("x_user_email", "mallory")
        .header("x.user.id", "mallory")
        .header("x-user-role", "admin")
        .header("authorization", "Bearer secret")
        .header("proxy-authorization", "Basic secret")
        .header("cookie", "better-auth.session_token=secret")
        .header("cookie", "second=secret")
        .header("x-api-key", "secret")
        .header("connection", "close, X-Nominated")
        .header("connection", "x-nominated-too,x-user-id")
        .header("x-nominated", "1")
        .header("x-nominated-too", "1")
        .header("keep-alive", "timeout=5")
        .header("te", "trailers")
        .header("upgrade", "websocket")
        .header("host", "public.example.com")
        .header("accept-language", "de")
        .header("x-username", "kept")
        .header("content-type", "application/json");
    let (head, _) = seen(&mut upstream, &proxy, request).await;

    let mut headers: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let host = format!("host: {}", upstream.url.trim_start_matches("http://"));
    let expected = [
        "accept-language: de",
        "content-type: application/json",
        &host,
        "x-user-email: alice@example.com",
        "x-user-id: alice",
        "x-username: kept",
    ];
    let without_length: Vec<&String> = headers
        .iter()
        .filter(|line| *line != "content-length: 0")
        .collect();
    assert_eq!(without_length, expected);
}

#[tokio::test]
async fn hop_by_hop_response_headers_end() {
    let mut upstream = Upstream::start().await;
    let proxy = Proxy::new(&upstream.url).unwrap();
    let (_, headers) = seen(&mut upstream, &proxy, post("/")).await;
    assert_eq!(headers["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(headers["x-own"], "kept");
    for gone in ["connection", "x-hop", "keep-alive", "transfer-encoding"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn upstream_path_has_precedence() {
    let mut upstream = Upstream::start().await;
    for (path, asked, expected) in [
        ("", "/support/chatkit?a=1", "/support/chatkit?a=1"),
        ("/", "/support/chatkit", "/support/chatkit"),
        ("/chatkit", "/support/chatkit?a=1", "/chatkit?a=1"),
        ("/chatkit/", "http://evil.example/support", "/chatkit/"),
    ] {
        let proxy = Proxy::new(&format!("{}{path}", upstream.url)).unwrap();
        let (head, _) = seen(&mut upstream, &proxy, post(asked)).await;
        assert_eq!(head.uri.to_string(), expected);
    }
}

#[tokio::test]
async fn bodies_are_streamed() {
    let mut upstream = Upstream::start().await;
    let proxy = Proxy::new(&upstream.url).unwrap();
    let (mut question, body) = Channel::<Bytes, Infallible>::new(1);
    let request = post("/").body(body).unwrap();
    let response =
        tokio::spawn(async move { proxy.handle("alice", "a@example.com", request).await });

    question
        .send_data(Bytes::from_static(b"one"))
        .await
        .unwrap();
    let mut received = upstream.next().await;
    assert_eq!(frame(&mut received.body).await, "one");
    // The first part of the response arrives before either body ends.
    let mut answer = response.await.unwrap().into_body();
    received
        .answer
        .send_data(Bytes::from_static(b"data: 1\n\n"))
        .await
        .unwrap();
    assert_eq!(frame(&mut answer).await, "data: 1\n\n");

    question
        .send_data(Bytes::from_static(b"two"))
        .await
        .unwrap();
    assert_eq!(frame(&mut received.body).await, "two");
    received
        .answer
        .send_data(Bytes::from_static(b"data: 2\n\n"))
        .await
        .unwrap();
    assert_eq!(frame(&mut answer).await, "data: 2\n\n");
    drop(received.answer);
    assert!(timeout(PATIENCE, answer.frame()).await.unwrap().is_none());
}

#[tokio::test]
async fn client_disconnect_cancels_upstream() {
    let mut upstream = Upstream::start().await;
    let proxy = Proxy::new(&upstream.url).unwrap();
    let request = post("/").body(Empty::<Bytes>::new()).unwrap();
    let mut answer = proxy
        .handle("alice", "a@example.com", request)
        .await
        .into_body();
    let mut received = upstream.next().await;
    received
        .answer
        .send_data(Bytes::from_static(b"data: 1\n\n"))
        .await
        .unwrap();
    frame(&mut answer).await;
    drop(answer);
    let cancelled = async {
        while received
            .answer
            .send_data(Bytes::from_static(b"more"))
            .await
            .is_ok()
        {}
    };
    timeout(PATIENCE, cancelled).await.unwrap();
}

#[tokio::test]
async fn connections_are_not_reused() {
    let mut upstream = Upstream::start().await;
    let proxy = Proxy::new(&upstream.url).unwrap();
    for _ in 0..3 {
        seen(&mut upstream, &proxy, post("/")).await;
        upstream.connections.try_recv().unwrap();
    }
}

#[tokio::test]
async fn http2_request_becomes_http1() {
    let mut upstream = Upstream::start().await;
    let proxy = Proxy::new(&upstream.url).unwrap();
    let (head, _) = seen(
        &mut upstream,
        &proxy,
        post("/").version(http::Version::HTTP_2),
    )
    .await;
    assert_eq!(head.version, http::Version::HTTP_11);
}

#[tokio::test]
async fn unreachable_upstream_gets_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let request = post("/").body(Full::from("{}")).unwrap();
    let response = Proxy::new(&url)
        .unwrap()
        .handle("alice", "a@example.com", request)
        .await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(response.headers()["content-type"], "application/json");
    let text = response.into_body().collect().await.unwrap().to_bytes();
    let expected = r#"{"error":"The upstream ChatKit server does not respond","status":502}"#;
    assert_eq!(text, expected);
}

#[tokio::test]
async fn invalid_identity_is_not_sent() {
    let upstream = Upstream::start().await;
    let proxy = Proxy::new(&upstream.url).unwrap();
    for user_id in ["", " alice", "alice\t", "al\r\nice", "al\0ice"] {
        let request = post("/").body(Empty::<Bytes>::new()).unwrap();
        let response = proxy.handle(user_id, "a@example.com", request).await;
        assert_eq!(
            response.status(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "{user_id:?}"
        );
    }
    let mut connections = upstream.connections;
    connections.try_recv().unwrap_err();
}

#[test]
fn upstream_must_be_private_http() {
    for valid in [
        "http://127.0.0.1:8001",
        "http://127.9.9.9/support/chatkit",
        "HTTP://LOCALHOST:8001/",
        "http://[::1]:8001",
        "http://[fd00::1]:8001",
        "http://[::ffff:10.0.0.1]",
        "http://10.1.2.3",
        "http://172.16.0.1",
        "http://192.168.1.1",
        "http://chatkit:8001",
        "http://chatkit.internal",
        "http://chatkit.namespace.svc.cluster.local",
    ] {
        assert!(Proxy::new(valid).is_ok(), "{valid}");
    }
    for (invalid, reason) in [
        ("", "is not a URL"),
        ("http://", "is not a URL"),
        ("http://local host", "is not a URL"),
        ("https://127.0.0.1", "does not begin with http://"),
        ("127.0.0.1:8001", "does not begin with http://"),
        ("/support/chatkit", "does not begin with http://"),
        ("unix:/run/chatkit.sock", "is not a URL"),
        ("http://user:pa55@127.0.0.1", "a user name or a password"),
        ("http://127.0.0.1/?key=1", "contains a `?`"),
        ("http://8.8.8.8", "names 8.8.8.8"),
        ("http://0.0.0.0", "names 0.0.0.0"),
        ("http://172.32.0.1", "names 172.32.0.1"),
        ("http://169.254.169.254", "names 169.254.169.254"),
        ("http://[2001:db8::1]", "names [2001:db8::1]"),
        ("http://example.com", "names example.com"),
        (
            "http://localhost.example.com",
            "names localhost.example.com",
        ),
        (
            "http://127.0.0.1.example.com",
            "names 127.0.0.1.example.com",
        ),
    ] {
        let Err(error) = Proxy::new(invalid) else {
            panic!("{invalid} was accepted");
        };
        let error = error.to_string();
        assert!(
            error.starts_with("`CHATKIT_UPSTREAM` "),
            "{invalid}: {error}"
        );
        assert!(error.contains(reason), "{invalid}: {error}");
        assert!(
            error.contains("write CHATKIT_UPSTREAM=http://"),
            "{invalid}: {error}"
        );
        assert!(!error.contains("pa55"), "{error}");
    }
}

//! Limits on connections: timeouts with tokio's paused clock, and the size of headers.

#[path = "../../src/server.rs"]
mod server;

use std::convert::Infallible;
use std::time::Duration;

use chatkit_service::ErrorResponse;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tower::{ServiceExt as _, service_fn};

use crate::http::Request as RawRequest;
use crate::program::Program;

/// The bytes that the client receives until the connection closes, and the time until then.
async fn send(sent: &str) -> (String, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = service_fn(|_: Request<Incoming>| async {
        let response = ErrorResponse::new(StatusCode::IM_A_TEAPOT, "short");
        Ok::<_, Infallible>(response.into_response())
    });
    tokio::spawn(server::run(
        listener,
        app.boxed_clone(),
        std::future::pending(),
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(sent.as_bytes()).await.unwrap();
    let start = Instant::now();
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    let received = String::from_utf8_lossy(&received).into_owned();
    (received, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn incomplete_headers_time_out() {
    for sent in ["", "P", "PRI * HTTP/2.0", "POST / HTTP/1.1\r\nhost: a\r\n"] {
        let (received, elapsed) = send(sent).await;
        assert_eq!((received.as_str(), elapsed.as_secs()), ("", 10), "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn idle_connection_times_out() {
    let (received, elapsed) = send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(received.starts_with("HTTP/1.1 418"), "{received}");
    assert_eq!(elapsed.as_secs(), 10);
}

#[test]
fn header_size_is_limited() {
    let server = Program::new().start();
    let with_headers = |count| {
        // Three headers are always sent: host, content-length, connection.
        (3..count).fold(RawRequest::get("/healthz"), |request, number| {
            request.header(&format!("x-{number}"), "1")
        })
    };
    assert_eq!(with_headers(100).send(server.address).status, 200);
    assert_eq!(with_headers(101).send(server.address).status, 431);

    let with_bytes = |count| RawRequest::get("/healthz").header("x", &"x".repeat(count));
    assert_eq!(with_bytes(32 * 1024).send(server.address).status, 200);
    assert_eq!(with_bytes(64 * 1024).send(server.address).status, 431);
}

//! Opening and closing a WebSocket.

use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt as _;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::{net::TcpStream, time::timeout};
use tokio_stream::StreamExt as _;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        handshake::client::Response,
        protocol::{CloseFrame, Role, frame::coding::CloseCode},
    },
};

use crate::client::{Headers, PATIENCE};
use crate::world::{HOUR, World};

const AT_MOST: Duration = Duration::from_secs(1);
const PAGES: &str = "https://app.example.com";
const PROTOCOL: &str = "sec-websocket-protocol";

#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    response: Response,
}

impl Socket {
    /// Opens a WebSocket or returns the rejection.
    pub(crate) async fn open(world: &World, headers: Headers) -> Result<Self, Response> {
        let url = format!("ws://{}/socket", world.address);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().extend(headers.0);
        let stream = TcpStream::connect(world.address).await.unwrap();
        match timeout(PATIENCE, client_async(request, stream))
            .await
            .unwrap()
        {
            Ok((stream, response)) => Ok(Self { stream, response }),
            Err(Error::Http(response)) => Err(*response),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        next(&mut self.stream, PATIENCE).await
    }

    async fn assert_closed(&mut self, reason: &str) {
        let Message::Close(Some(CloseFrame { code, reason: why })) =
            next(&mut self.stream, AT_MOST).await
        else {
            panic!("no close frame");
        };
        assert_eq!((code, &*why), (CloseCode::Policy, reason));
    }
}

async fn next<S>(stream: &mut WebSocketStream<S>, patience: Duration) -> Message
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let message = timeout(patience, stream.next()).await;
    message
        .expect("a message in time")
        .expect("no end")
        .unwrap()
}

/// The headers of a browser that sends a token as a subprotocol.
fn in_protocol(token: &str) -> Headers {
    let token = utf8_percent_encode(token, NON_ALPHANUMERIC);
    Headers::default().with(PROTOCOL, &format!("chat, bearer.{token}"))
}

#[tokio::test]
async fn unauthenticated_upgrade_gets_401() {
    let world = World::start().await;
    for headers in [
        Headers::default(),
        Headers::of(&world.ada.signed_token().tampered()),
        Headers::of(&world.ada.cookie().tampered()),
        Headers::default().with(PROTOCOL, "chat"),
        in_protocol("forged"),
        in_protocol(""),
        // The first credential is invalid; the second is not used.
        in_protocol("forged").with("cookie", world.ada.cookie().text()),
    ] {
        let rejection = Socket::open(&world, headers.clone()).await.unwrap_err();
        assert_eq!(rejection.status(), StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(rejection.headers()["content-type"], "application/json");
        let body = rejection.body().as_deref().unwrap_or_default();
        assert_eq!(
            String::from_utf8_lossy(body),
            r#"{"error": "Invalid or expired JWT token", "status": 401}"#
        );
        assert_eq!(world.chat.receivers(), 0);
    }
}

#[tokio::test]
async fn foreign_origin_cannot_use_cookie() {
    let world = World::start().await;
    for origin in ["https://evil.test", "null", "http://app.example.com"] {
        let headers = Headers::of(&world.ada.cookie()).with("origin", origin);
        let rejection = Socket::open(&world, headers).await.unwrap_err();
        assert_eq!(rejection.status(), StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(world.chat.receivers(), 0);
    }
}

#[tokio::test]
async fn trusted_origin_can_use_cookie() {
    let world = World::start().await;
    let headers = Headers::of(&world.ada.cookie()).with("origin", PAGES);
    let mut socket = Socket::open(&world, headers).await.unwrap();
    assert_eq!(socket.response.status(), StatusCode::SWITCHING_PROTOCOLS);
    socket.send("hello").await;
    let received = socket.next().await;
    assert_eq!(received, Message::text(r#"{"from":"ada","text":"hello"}"#));
}

#[tokio::test]
async fn token_as_subprotocol_is_accepted() {
    let world = World::start().await;
    // Any origin: browsers do not send tokens automatically.
    let headers =
        in_protocol(world.ada.signed_token().text()).with("origin", "https://partner.example");
    let mut socket = Socket::open(&world, headers).await.unwrap();
    assert_eq!(socket.response.headers()[PROTOCOL], "chat");
    socket.send("hello").await;
    let received = socket.next().await;
    assert_eq!(received, Message::text(r#"{"from":"ada","text":"hello"}"#));
}

#[tokio::test]
async fn sign_out_closes_the_socket() {
    let world = World::start().await;
    let mut of_bob = Socket::open(&world, Headers::of(&world.bob.signed_token()))
        .await
        .unwrap();
    let mut socket = Socket::open(&world, Headers::of(&world.ada.signed_token()))
        .await
        .unwrap();
    // Both sockets receive messages from here on.
    socket.send("hello").await;
    assert!(socket.next().await.is_text() && of_bob.next().await.is_text());

    world.ada.sign_out();
    socket.assert_closed("revoked").await;

    of_bob.send("still here").await;
    assert!(
        of_bob
            .next()
            .await
            .to_text()
            .unwrap()
            .contains("still here")
    );
    assert_eq!(world.chat.receivers(), 1);
}

#[tokio::test]
async fn session_expiry_closes_the_socket() {
    let world = World::start().await;
    let mut socket = Socket::open(&world, Headers::of(&world.ada.signed_token()))
        .await
        .unwrap();
    world.issuer.advance(HOUR);
    socket.assert_closed("expired").await;
}

#[tokio::test]
async fn plain_request_gets_no_upgrade() {
    let world = World::start().await;
    for version in crate::client::VERSIONS {
        let client = world.client(version);
        let answer = client
            .get("/socket", &Headers::of(&world.ada.signed_token()))
            .await;
        assert!(answer.status.is_client_error(), "{version:?} {answer:?}");
        assert_eq!(client.get("/socket", &Headers::default()).await.status, 401);
    }
}

/// In HTTP/2 a WebSocket begins with an extended `CONNECT` (RFC 8441).
#[tokio::test]
async fn http2_sockets_are_protected() {
    let world = World::start().await;
    let stream = TokioIo::new(TcpStream::connect(world.address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Empty<Bytes>>(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let uri = |path| format!("http://{}{path}", world.address);
    // The client must receive the SETTINGS frame that enables it first.
    let request = Request::get(uri("/health")).body(Empty::new()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 200);

    let connect = |headers: Headers| {
        let mut request = Request::connect(uri("/socket"))
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .body(Empty::new())
            .unwrap();
        request.headers_mut().extend(headers.0);
        request
    };
    for (headers, status) in [
        (Headers::default(), 401),
        (in_protocol("forged"), 401),
        (
            Headers::of(&world.ada.cookie()).with("origin", "https://evil.test"),
            403,
        ),
    ] {
        let answer = client.send_request(connect(headers)).await.unwrap();
        assert_eq!(answer.status(), status);
    }

    let headers = Headers::of(&world.ada.cookie()).with("origin", PAGES);
    let answer = client.send_request(connect(headers)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let upgraded = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    let mut socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await;
    socket.send(Message::text("hello")).await.unwrap();
    let received = next(&mut socket, PATIENCE).await;
    assert_eq!(received, Message::text(r#"{"from":"ada","text":"hello"}"#));
    world.ada.sign_out();
    assert!(next(&mut socket, AT_MOST).await.is_close());
}

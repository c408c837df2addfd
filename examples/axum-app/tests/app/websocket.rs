//! The WebSocket: who is let in, and when it is closed.

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
    /// The answer of a server that does not open one.
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

    pub(crate) async fn say(&mut self, text: &str) {
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

/// Where a page in a browser puts a token.
fn in_protocol(token: &str) -> Headers {
    let token = utf8_percent_encode(token, NON_ALPHANUMERIC);
    Headers::default().with(PROTOCOL, &format!("room, bearer.{token}"))
}

#[tokio::test]
async fn strangers_are_refused_before_the_upgrade() {
    let world = World::start().await;
    for headers in [
        Headers::default(),
        Headers::of(&world.ada.signed_token().tampered()),
        Headers::of(&world.ada.cookie().tampered()),
        Headers::default().with(PROTOCOL, "room"),
        in_protocol("forged"),
        in_protocol(""),
        // The first one counts, however good the others are.
        in_protocol("forged").with("cookie", world.ada.cookie().text()),
    ] {
        let refusal = Socket::open(&world, headers.clone()).await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(refusal.headers()["content-type"], "application/json");
        let body = refusal.body().as_deref().unwrap_or_default();
        assert_eq!(
            String::from_utf8_lossy(body),
            r#"{"error": "Invalid or expired JWT token", "status": 401}"#
        );
        assert_eq!(world.room.listeners(), 0);
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_use_the_cookie() {
    let world = World::start().await;
    for origin in ["https://evil.test", "null", "http://app.example.com"] {
        let headers = Headers::of(&world.ada.cookie()).with("origin", origin);
        let refusal = Socket::open(&world, headers).await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(world.room.listeners(), 0);
    }
}

#[tokio::test]
async fn a_trusted_page_gets_in_with_the_cookie() {
    let world = World::start().await;
    let headers = Headers::of(&world.ada.cookie()).with("origin", PAGES);
    let mut socket = Socket::open(&world, headers).await.unwrap();
    assert_eq!(socket.response.status(), StatusCode::SWITCHING_PROTOCOLS);
    socket.say("hello").await;
    let heard = socket.next().await;
    assert_eq!(heard, Message::text(r#"{"from":"ada","text":"hello"}"#));
}

#[tokio::test]
async fn a_token_gets_in_as_a_subprotocol_that_is_not_answered() {
    let world = World::start().await;
    // A page of any origin: a token does not come by itself, as a cookie does.
    let headers =
        in_protocol(world.ada.signed_token().text()).with("origin", "https://partner.example");
    let mut socket = Socket::open(&world, headers).await.unwrap();
    assert_eq!(socket.response.headers()[PROTOCOL], "room");
    socket.say("hello").await;
    let heard = socket.next().await;
    assert_eq!(heard, Message::text(r#"{"from":"ada","text":"hello"}"#));
}

#[tokio::test]
async fn it_is_closed_when_its_user_signs_out() {
    let world = World::start().await;
    let mut of_bob = Socket::open(&world, Headers::of(&world.bob.signed_token()))
        .await
        .unwrap();
    let mut socket = Socket::open(&world, Headers::of(&world.ada.signed_token()))
        .await
        .unwrap();
    // Both are listening when they hear this.
    socket.say("hello").await;
    assert!(socket.next().await.is_text() && of_bob.next().await.is_text());

    world.ada.sign_out();
    socket.assert_closed("revoked").await;

    of_bob.say("still here").await;
    assert!(
        of_bob
            .next()
            .await
            .to_text()
            .unwrap()
            .contains("still here")
    );
    assert_eq!(world.room.listeners(), 1);
}

#[tokio::test]
async fn it_is_closed_when_the_session_expires() {
    let world = World::start().await;
    let mut socket = Socket::open(&world, Headers::of(&world.ada.signed_token()))
        .await
        .unwrap();
    world.issuer.advance(HOUR);
    socket.assert_closed("expired").await;
}

#[tokio::test]
async fn a_request_that_is_no_upgrade_gets_none() {
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
async fn http_2_is_held_to_the_same() {
    let world = World::start().await;
    let stream = TokioIo::new(TcpStream::connect(world.address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Empty<Bytes>>(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let uri = |path| format!("http://{}{path}", world.address);
    // The server has to say first that it knows of it.
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
    let heard = next(&mut socket, PATIENCE).await;
    assert_eq!(heard, Message::text(r#"{"from":"ada","text":"hello"}"#));
    world.ada.sign_out();
    assert!(next(&mut socket, AT_MOST).await.is_close());
}

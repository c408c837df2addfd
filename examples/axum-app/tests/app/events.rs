//! The event stream.

use std::time::Duration;

use better_auth_layer::testing::TestSession;
use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::client::{Client, Headers, PATIENCE, VERSIONS};
use crate::websocket::Socket;
use crate::world::{HOUR, World};

/// The maximum time between the end of a session and the end of its stream.
const AT_MOST: Duration = Duration::from_secs(1);

struct Events(Response<Incoming>);

impl Events {
    async fn open(client: &Client, headers: &Headers) -> Self {
        let response = client.open("GET", "/events", headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response)
    }

    /// `None` at the end.
    async fn next(&mut self) -> Option<String> {
        let frame = timeout(PATIENCE, self.0.body_mut().frame()).await;
        let data = frame
            .expect("an event in time")?
            .unwrap()
            .into_data()
            .unwrap();
        Some(String::from_utf8(data.to_vec()).unwrap())
    }

    async fn assert_ends(mut self) {
        let rest = timeout(AT_MOST, self.0.body_mut().collect()).await;
        // A complete body, not an aborted connection.
        let rest = rest.expect("an end in time").unwrap().to_bytes();
        assert!(rest.is_empty(), "{rest:?}");
    }
}

#[tokio::test]
async fn message_becomes_an_event() {
    let world = World::start().await;
    for version in VERSIONS {
        let mut events =
            Events::open(&world.client(version), &Headers::of(&world.bob.cookie())).await;
        let mut socket = Socket::open(&world, Headers::of(&world.ada.signed_token()))
            .await
            .unwrap();
        socket.send("hello\r\nthere").await;
        assert_eq!(
            events.next().await.as_deref(),
            Some("data: {\"from\":\"ada\",\"text\":\"hello\\r\\nthere\"}\n\n"),
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn sign_out_ends_the_stream() {
    for version in VERSIONS {
        for credential in [TestSession::signed_token, TestSession::cookie] {
            let world = World::start().await;
            let headers = Headers::of(&credential(&world.ada));
            let client = world.client(version);
            let events = Events::open(&client, &headers).await;
            let mut of_bob = Events::open(&client, &Headers::of(&world.bob.signed_token())).await;
            assert_eq!(world.chat.receivers(), 2);

            world.ada.sign_out();
            events.assert_ends().await;
            assert_eq!(world.chat.receivers(), 1);
            // `EventSource` reconnects.
            assert_eq!(client.get("/events", &headers).await.status, 401);

            // Other streams stay open.
            let mut socket = Socket::open(&world, Headers::of(&world.bob.signed_token()))
                .await
                .unwrap();
            socket.send("still here").await;
            assert!(of_bob.next().await.unwrap().contains("still here"));
        }
    }
}

#[tokio::test]
async fn session_expiry_ends_the_stream() {
    for version in VERSIONS {
        let world = World::start().await;
        let client = world.client(version);
        let events = Events::open(&client, &Headers::of(&world.ada.signed_token())).await;
        let _of_bob = Events::open(&client, &Headers::of(&world.bob.signed_token())).await;
        world.issuer.advance(HOUR);
        events.assert_ends().await;
        assert_eq!(world.chat.receivers(), 1);
    }
}

#[tokio::test]
async fn disconnect_drops_the_receiver() {
    for version in VERSIONS {
        let world = World::start().await;
        let client = world.client(version);
        drop(Events::open(&client, &Headers::of(&world.ada.signed_token())).await);
        drop(client);
        timeout(PATIENCE, async {
            while world.chat.receivers() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .expect("no receivers");
    }
}

#[tokio::test]
async fn unauthenticated_stream_gets_401() {
    let world = World::start().await;
    for version in VERSIONS {
        let client = world.client(version);
        for headers in [
            Headers::default(),
            Headers::default().with("authorization", "Bearer forged"),
        ] {
            let answer = client.get("/events", &headers).await;
            assert_eq!(answer.status, 401, "{version:?}");
            assert_eq!(world.chat.receivers(), 0);
        }
    }
}

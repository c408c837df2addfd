//! Streams that end with the session.

use std::pin::pin;
use support::prelude::*;

use tokio_stream::{Stream as _, StreamExt as _};
use tonic::service::LayerExt as _;
use tonic::{Code, Status, Streaming};

use super::fixtures::{Door, HealthCheckResponse, HealthServer, ask, client, serve};

struct Watching {
    store: Arc<MemoryStore>,
    clock: TestClock,
    door: Door,
    answers: Streaming<HealthCheckResponse>,
}

/// A client after its first message.
async fn watching(token: &str) -> Watching {
    let store = Arc::new(fixtures::memory());
    let clock = clock();
    let layer = builder(Arc::clone(&store))
        .clock(clock.clone())
        .recheck_interval(Duration::from_millis(20))
        .build()
        .unwrap();
    let door = Door::default();
    let address = serve(layer.named_layer(HealthServer::new(door.clone())));
    let answers = client(address).watch(ask("who", Some(token))).await.unwrap();
    let mut answers = answers.into_inner();
    assert!(answers.message().await.unwrap().is_some());
    Watching { store, clock, door, answers }
}

impl Watching {
    /// Asserts that the stream ends with a status, and that its source is dropped.
    async fn assert_ends(mut self, message: &str) {
        let soon = tokio::time::timeout(Duration::from_secs(1), self.answers.message()).await;
        let status = soon.expect("an end within a second").unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.message(), message);
        let [feed] = &*self.door.feeds() else {
            panic!("one stream was opened");
        };
        assert!(feed.is_closed());
    }

    /// Asserts that the stream continues over several checks of the session.
    async fn assert_goes_on(&mut self) {
        let waited = tokio::time::timeout(Duration::from_millis(200), self.answers.message()).await;
        assert!(waited.is_err(), "{waited:?}");
        let feed = self.door.feeds().pop().unwrap();
        feed.send(Ok(HealthCheckResponse::default())).unwrap();
        assert!(self.answers.message().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn sign_out_ends_the_stream() {
    let mut watching = watching(&token_for("ada@example.com")).await;
    watching.assert_goes_on().await;
    watching.store.remove_session("ses_ada");
    watching.assert_ends("Session revoked").await;
}

#[tokio::test]
async fn deletion_ends_the_stream() {
    let watching = watching(&token_for("ada@example.com")).await;
    watching.store.remove_user("usr_ada");
    watching.assert_ends("Session revoked").await;
}

#[tokio::test]
async fn session_expiry_ends_the_stream() {
    let long = serde_json::json!({ "exp": support::test_clock::NOW + 100_000 });
    let mut watching = watching(&sign(&claims_with("ada@example.com", long))).await;
    watching.clock.advance(Duration::from_secs(3599));
    watching.assert_goes_on().await;
    watching.clock.advance(Duration::from_secs(1));
    watching.assert_ends("Session expired").await;
}

#[tokio::test]
async fn token_expiry_ends_the_stream() {
    let mut watching = watching(&token_for("ada@example.com")).await;
    watching.clock.advance(Duration::from_secs(599));
    watching.assert_goes_on().await;
    watching.clock.advance(Duration::from_secs(1));
    watching.assert_ends("Session expired").await;
}

/// The end of the source is forwarded and final.
#[tokio::test]
async fn own_status_is_forwarded() {
    let mut watching = watching(&token_for("ada@example.com")).await;
    let feed = watching.door.feeds().pop().unwrap();
    feed.send(Err(Status::resource_exhausted("enough"))).unwrap();
    let status = watching.answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.message(), "enough");
}

#[tokio::test]
async fn disconnect_drops_the_stream() {
    let watching = watching(&token_for("ada@example.com")).await;
    drop(watching.answers);
    let feed = watching.door.feeds().pop().unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(5), feed.closed()).await;
    assert!(closed.is_ok());
}

async fn ada(store: &Arc<MemoryStore>) -> Identity {
    let layer =
        builder(Arc::clone(store)).recheck_interval(Duration::from_millis(10)).build().unwrap();
    let request = http::Request::post("/")
        .header("authorization", format!("Bearer {}", token_for("ada@example.com")))
        .body(())
        .unwrap();
    let (parts, ()) = request.into_parts();
    layer.authenticator().authenticate(&parts).await.unwrap()
}

/// Items that are ready after the session's end are not sent, and nothing follows the status.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_sign_out() {
    let store = Arc::new(fixtures::memory());
    let identity = ada(&store).await;
    let endless = tokio_stream::iter(std::iter::repeat_with(|| Ok::<_, Status>(1)));
    let mut stream = pin!(UntilSessionEnd::new(endless, &identity));
    let item = stream.next().await.unwrap();
    assert_eq!(item.unwrap(), 1);
    store.remove_session("ses_ada");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let status = stream.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(stream.size_hint(), (0, Some(0)));
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
}

/// The status is an item, and the end may precede the first item.
#[tokio::test]
async fn size_hint_allows_an_early_end() {
    let identity = ada(&Arc::new(fixtures::memory())).await;
    let three = tokio_stream::iter([Ok(1), Ok(2), Ok(3)]);
    let mut stream = pin!(UntilSessionEnd::new(three, &identity));
    assert_eq!(stream.size_hint(), (0, Some(4)));
    for _ in 0..3 {
        let item: Result<_, Status> = stream.next().await.unwrap();
        assert!(item.is_ok());
    }
}

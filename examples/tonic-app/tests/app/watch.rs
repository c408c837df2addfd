//! The stream of notices and its end.

use std::time::Duration;

use better_auth_layer::testing::{StoreFault, TestSession, TestUser};
use tokio::time::timeout;
use tonic::{Code, Streaming};
use tonic_app::proto::{Notice, PostRequest, WatchRequest};

use crate::world::World;

struct Watching {
    world: World,
    session: TestSession,
    admin: TestUser,
    notices: Streaming<Notice>,
}

impl Watching {
    async fn new() -> Self {
        let world = World::new().await;
        let session = world.issuer.user("ada@example.com").create().sign_in();
        let mut client = world.client(&session.signed_token());
        let notices = client.watch(WatchRequest {}).await.unwrap().into_inner();
        let admin = world
            .issuer
            .user("grace@example.com")
            .role("admin")
            .create();
        Self {
            world,
            session,
            admin,
            notices,
        }
    }

    /// Posts a notice and returns the number of readers.
    async fn post(&self, text: &str) -> u32 {
        let token = self.admin.sign_in().signed_token();
        let text = text.to_owned();
        let answer = self.world.client(&token).post(PostRequest { text }).await;
        answer.unwrap().into_inner().readers
    }

    async fn assert_reads(&mut self, text: &str) {
        assert_eq!(self.post(text).await, 1);
        let notice = self.notices.message().await.unwrap().unwrap();
        assert_eq!(notice.text, text);
        assert_eq!(notice.author, self.admin.id());
    }

    async fn assert_ends(&mut self, message: &str) {
        let end = timeout(Duration::from_secs(1), self.notices.message()).await;
        let status = end.expect("an end within a second").unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.message(), message);
        // The inner stream is dropped.
        assert_eq!(self.post("no readers").await, 0);
    }
}

#[tokio::test]
async fn sign_out_ends_the_stream() {
    let mut watching = Watching::new().await;
    watching.assert_reads("one").await;
    watching.assert_reads("two").await;
    watching.session.sign_out();
    watching.assert_ends("Session revoked").await;
}

#[tokio::test]
async fn ban_ends_the_stream() {
    let mut watching = Watching::new().await;
    watching.session.user().ban_by_sql();
    watching.assert_ends("Session revoked").await;
}

#[tokio::test]
async fn session_expiry_ends_the_stream() {
    let mut watching = Watching::new().await;
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    let second = Duration::from_secs(1);
    watching.world.issuer.advance(week - second);
    watching.assert_reads("still here").await;
    watching.world.issuer.advance(second);
    watching.assert_ends("Session expired").await;
}

#[tokio::test]
async fn store_outage_keeps_the_stream() {
    let mut watching = Watching::new().await;
    let issuer = &watching.world.issuer;
    issuer.break_store(StoreFault::Unavailable);
    let before = issuer.total_lookups();
    while issuer.total_lookups() < before + 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    issuer.restore_store();
    watching.assert_reads("still here").await;
}

//! A recorded Better Auth deployment that receives the generated requests.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use better_auth_layer::clock::{Clock, Timestamp};
use better_auth_layer::jwks::KeySet;
use better_auth_layer::store::MemoryStore;
use better_auth_layer::{
    BetterAuthLayer, CookieCache, RejectionKind, Secret, Session, SessionToken, User,
};
use http::{HeaderName, HeaderValue, Request};
use serde_json::Value;

/// A layer with the secret, the keys and the user of a recording, and a second user whose credentials
/// are in no seed.
#[derive(Debug)]
pub struct Deployment {
    layer: BetterAuthLayer,
    user_id: String,
}

/// A clock with the time of the recording.
struct RecordedTime(Timestamp);

impl Clock for RecordedTime {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Deployment {
    /// Reads a recording (`tests/fixtures/better-auth`).
    ///
    /// # Panics
    ///
    /// If the recording is invalid.
    pub fn recorded(recording: &str, cache: Option<CookieCache>) -> Self {
        let document: Value = serde_json::from_str(recording).expect("a recording");
        let truth = &document["getSession"]["body"];
        let (user, session) = (&truth["user"], &truth["session"]);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let time = |value: &Value| {
            let time: jiff::Timestamp = text(value).parse().expect("a time");
            Timestamp::from_unix_millis(time.as_millisecond())
        };
        let store = MemoryStore::new();
        let user_id = text(&user["id"]);
        store.insert_user(User::new(&*user_id, text(&user["email"])));
        store.insert_session(
            Session::new(text(&session["id"]), &*user_id, time(&session["expiresAt"]))
                .with_token(SessionToken::new(text(&session["token"]))),
        );
        store.insert_user(User::new("usr_victim", "victim@example.com"));
        store.insert_session(
            Session::new("ses_victim", "usr_victim", Timestamp::MAX)
                .with_token(SessionToken::new("the-token-of-the-victim-123456789")),
        );
        let keys: KeySet = document["jwks"].to_string().parse().expect("keys");
        let builder = BetterAuthLayer::builder()
            .secret(Secret::new(text(&document["secret"])).expect("a secret"))
            .base_url(text(&document["baseURL"]))
            .key_source(keys)
            .clock(RecordedTime(time(&session["createdAt"])))
            .store(store);
        let builder = match cache {
            Some(cache) => builder.cookie_cache(cache),
            None => builder,
        };
        Self {
            layer: builder.build().expect("a layer"),
            user_id,
        }
    }

    /// Authenticates a request with this header. Returns `true` for the recorded user and `false` for a
    /// rejected credential.
    ///
    /// # Panics
    ///
    /// For any other result.
    pub fn authenticates(&self, name: HeaderName, value: HeaderValue) -> bool {
        let request = Request::get("/").header(name, value).body(());
        let (parts, ()) = request.expect("a request").into_parts();
        let mut result = pin!(self.layer.authenticator().authenticate(&parts));
        match result
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(Ok(identity)) => {
                assert_eq!(identity.user().id(), self.user_id);
                true
            }
            Poll::Ready(Err(rejection)) => {
                assert!(
                    matches!(
                        rejection.kind(),
                        RejectionKind::InvalidCredential | RejectionKind::MissingCredential
                    ),
                    "{rejection:?}"
                );
                false
            }
            Poll::Pending => panic!("the store in memory responds immediately"),
        }
    }
}

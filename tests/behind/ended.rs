//! Streams that end with the session behind them.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use better_auth_layer::{
    ApiKeys, BetterAuthLayerBuilder, Clock, Identity, Lookup, LookupKind, MemoryStore, Resolution,
    Session, SessionEnd, StoreError, Timestamp, UntilEnded, UserStore,
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use support::gate::builder;
use support::test_clock::NOW;
use support::token::{claims_with, sign};
use tokio::time::Instant;

use crate::world::{ada, api_key, at, bearer, cookie, jwt, request, session, store};

/// Goes as tokio's clock goes, which tests stop and wind.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        at(NOW).saturating_add(self.0.elapsed())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A store that can be down, and counts.
#[derive(Clone)]
struct Switched {
    store: Arc<MemoryStore>,
    is_down: Arc<AtomicBool>,
    lookups: Arc<AtomicUsize>,
    kinds: &'static [LookupKind],
}

const ALL: &[LookupKind] = &[
    LookupKind::Email,
    LookupKind::UserId,
    LookupKind::SessionToken,
    LookupKind::ApiKey,
];

impl Switched {
    fn new(session: Session, kinds: &'static [LookupKind]) -> Self {
        Self {
            store: store(ada(), session),
            is_down: Arc::default(),
            lookups: Arc::default(),
            kinds,
        }
    }
}

impl UserStore for Switched {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::timeout());
        }
        assert!(self.kinds.contains(&lookup.key().kind()));
        self.store.resolve(lookup).await
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.kinds.contains(&kind)
    }
}

fn layer(store: Switched) -> BetterAuthLayerBuilder {
    builder(store).clock(TokioClock(Instant::now()))
}

async fn identity(builder: BetterAuthLayerBuilder, header: (&'static str, String)) -> Identity {
    let (parts, _) = request(&[header]).into_parts();
    let auth = builder.build().unwrap();
    auth.authenticator().authenticate(&parts).await.unwrap()
}

/// Why an identity ends, and after how many seconds.
async fn end(identity: &Identity) -> (SessionEnd, u64) {
    let start = Instant::now();
    let reason = identity.ended().await;
    (reason, start.elapsed().as_millis().div_ceil(1000) as u64)
}

async fn after(seconds: u64, change: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(seconds * 1000 - 1)).await;
        change();
    });
    tokio::task::yield_now().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_it_expires() {
    let switched = Switched::new(session(), ALL);
    let identity = identity(layer(switched), cookie()).await;
    assert_eq!(end(&identity).await, (SessionEnd::Expired, 3600));
    // And has ended for whoever asks later.
    assert_eq!(end(&identity).await, (SessionEnd::Expired, 0));
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_is_seen_at_the_next_look() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let lookups = Arc::clone(&switched.lookups);
    let identity = identity(layer(switched), cookie()).await;
    after(12, move || store.remove_session("ses_ada")).await;
    assert_eq!(end(&identity).await, (SessionEnd::Revoked, 15));
    assert_eq!(lookups.load(Ordering::SeqCst), 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_the_one_that_was_set() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let builder = layer(switched).recheck_interval(Duration::from_secs(60));
    let identity = identity(builder, cookie()).await;
    after(1, move || store.remove_session("ses_ada")).await;
    assert_eq!(end(&identity).await, (SessionEnd::Revoked, 60));
    let zero = layer(Switched::new(session(), ALL)).recheck_interval(Duration::ZERO);
    assert!(
        zero.build()
            .unwrap_err()
            .to_string()
            .contains("recheck_interval")
    );
}

#[tokio::test(start_paused = true)]
async fn a_ban_and_a_deletion_end_it_too() {
    for (what, change) in [
        (
            "ban",
            Box::new(|store: &MemoryStore| store.insert_user(ada().with_ban(None)))
                as Box<dyn Fn(&MemoryStore) + Send>,
        ),
        (
            "deletion",
            Box::new(|store: &MemoryStore| store.remove_user("usr_ada")),
        ),
    ] {
        let switched = Switched::new(session(), ALL);
        let store = Arc::clone(&switched.store);
        let identity = identity(layer(switched), cookie()).await;
        after(1, move || change(&store)).await;
        assert_eq!(end(&identity).await, (SessionEnd::Revoked, 5), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_extended_goes_on() {
    let short = session_until(NOW + 7);
    let switched = Switched::new(short, ALL);
    let store = Arc::clone(&switched.store);
    let identity = identity(layer(switched), cookie()).await;
    after(6, move || store.insert_session(session_until(NOW + 20))).await;
    assert_eq!(end(&identity).await, (SessionEnd::Expired, 20));
}

fn session_until(seconds: i64) -> Session {
    Session::new("ses_ada", "usr_ada", at(seconds)).with_token(session().token().unwrap().clone())
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_by_itself_whatever_the_session_does() {
    let switched = Switched::new(session(), ALL);
    let token = sign(&claims_with("ada@example.com", json!({ "exp": NOW + 13 })));
    let identity = identity(layer(switched), bearer(&token)).await;
    assert_eq!(end(&identity).await, (SessionEnd::Expired, 13));
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_nothing_but_an_expiry_does() {
    let switched = Switched::new(session_until(NOW + 42), ALL);
    let (store, is_down) = (Arc::clone(&switched.store), Arc::clone(&switched.is_down));
    let identity = identity(layer(switched), cookie()).await;
    is_down.store(true, Ordering::SeqCst);
    assert_eq!(end(&identity).await, (SessionEnd::Expired, 42));
    let _ = store;

    let switched = Switched::new(session(), ALL);
    let (store, is_down) = (Arc::clone(&switched.store), Arc::clone(&switched.is_down));
    let identity = self::identity(layer(switched), cookie()).await;
    is_down.store(true, Ordering::SeqCst);
    store.remove_session("ses_ada");
    after(11, move || is_down.store(false, Ordering::SeqCst)).await;
    assert_eq!(end(&identity).await, (SessionEnd::Revoked, 15));
}

/// A token that names no session goes on with any other one of the user, as it would in a new request.
#[tokio::test(start_paused = true)]
async fn a_token_that_names_no_session_ends_with_the_last_one() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    store.insert_session(Session::new("ses_other", "usr_ada", at(NOW + 300)));
    let builder = layer(switched);
    let auth = builder.build().unwrap();
    let ask = async |token: &str| {
        let (parts, _) = request(&[bearer(token)]).into_parts();
        auth.authenticator().authenticate(&parts).await.unwrap()
    };
    let unnamed = ask(&jwt()).await;
    let named = ask(&crate::world::jwt_of_session()).await;
    assert!(!unnamed.names_session() && named.names_session());
    store.remove_session("ses_ada");
    assert_eq!(end(&named).await, (SessionEnd::Revoked, 5));
    let (ended, _) = tokio::join!(end(&unnamed), async {
        after(7, move || store.remove_session("ses_other")).await;
    });
    assert_eq!(ended, (SessionEnd::Revoked, 10));
}

#[tokio::test(start_paused = true)]
async fn an_api_key_ends_when_it_is_taken_away() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let builder = layer(switched).api_keys(ApiKeys::new());
    let identity = identity(builder, api_key()).await;
    store.remove_session("ses_ada");
    after(6, move || store.remove_api_key("key_ada")).await;
    assert_eq!(end(&identity).await, (SessionEnd::Revoked, 10));
}

/// Whatever the store can look up by is enough to ask again.
#[tokio::test(start_paused = true)]
async fn a_store_is_asked_again_in_a_way_that_it_knows() {
    const BY_TOKEN: &[LookupKind] = &[LookupKind::SessionToken];
    const BY_EMAIL: &[LookupKind] = &[LookupKind::Email];
    for (kinds, header) in [(BY_TOKEN, cookie()), (BY_EMAIL, bearer(&jwt()))] {
        let switched = Switched::new(session(), kinds);
        let store = Arc::clone(&switched.store);
        let builder = layer(switched);
        let builder = if kinds == BY_TOKEN {
            builder.without_secret_jwts()
        } else {
            builder.without_session_tokens()
        };
        let identity = identity(builder, header).await;
        after(6, move || store.remove_session("ses_ada")).await;
        assert_eq!(end(&identity).await, (SessionEnd::Revoked, 10), "{kinds:?}");
    }
}

/// A body that never ends by itself and tells when it is dropped.
struct Events {
    sent: usize,
    is_dropped: Arc<AtomicBool>,
}

impl Drop for Events {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::SeqCst);
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent += 1;
        if self.sent.is_multiple_of(2) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"data: x\n\n")))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(1000)
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_ends_with_the_session_and_lets_go_of_what_feeds_it() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let identity = identity(layer(switched), cookie()).await;
    let is_dropped = Arc::new(AtomicBool::new(false));
    let events = Events {
        sent: 0,
        is_dropped: Arc::clone(&is_dropped),
    };
    let mut body = Box::pin(UntilEnded::new(events, &identity));
    assert_eq!(body.size_hint().exact(), None);
    assert_eq!(body.size_hint().upper(), Some(1000));
    assert!(!body.is_end_stream());
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "data: x\n\n");
    store.remove_session("ses_ada");
    let start = Instant::now();
    assert!(body.frame().await.is_none());
    assert_eq!(start.elapsed().as_millis().div_ceil(1000), 5);
    assert!(is_dropped.load(Ordering::SeqCst));
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    // Polled once more it stays what it is.
    assert!(poll_fn(|cx| body.as_mut().poll_frame(cx)).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_short_enough_arrives_whole() {
    let switched = Switched::new(session(), ALL);
    let identity = identity(layer(switched), cookie()).await;
    let body = UntilEnded::new(Full::<Bytes>::from("all of it"), &identity);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "all of it");
}

/// Nothing is sent to somebody whose session is over before the first frame.
#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_late_is_empty() {
    let switched = Switched::new(session_until(NOW + 1), ALL);
    let identity = identity(layer(switched), cookie()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let body = UntilEnded::new(Full::<Bytes>::from("too late"), &identity);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "");
}

//! Streams that end with their session.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use support::prelude::*;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;

use super::fixtures::{ada, api_key, bearer, cookie, jwt, request, session, store};

/// Follows the clock of tokio, which tests pause and advance.
struct TokioClock {
    start: Timestamp,
    started: Instant,
}

impl TokioClock {
    fn from(start: Timestamp) -> Self {
        Self { start, started: Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.start.saturating_add(self.started.elapsed())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

#[derive(Clone)]
struct Switched {
    store: Arc<MemoryStore>,
    is_down: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    lookups: Arc<AtomicUsize>,
    kinds: &'static [LookupKind],
}

const ALL: &[LookupKind] =
    &[LookupKind::Email, LookupKind::UserId, LookupKind::SessionToken, LookupKind::ApiKey];

impl Switched {
    fn new(session: Session, kinds: &'static [LookupKind]) -> Self {
        Self {
            store: store(ada(), session),
            is_down: Arc::default(),
            hangs: Arc::default(),
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
        if self.hangs.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        assert!(self.kinds.contains(&lookup.key().kind()));
        self.store.resolve(lookup).await
    }

    fn supports(&self, _: LookupKind) -> bool {
        true
    }
}

fn layer(store: Switched) -> BetterAuthLayerBuilder {
    builder(store).clock(TokioClock::from(at(NOW)))
}

async fn identity(builder: BetterAuthLayerBuilder, header: (&'static str, String)) -> Identity {
    let (parts, _) = request(&[header]).into_parts();
    let auth = builder.build().unwrap();
    auth.authenticator().authenticate(&parts).await.unwrap()
}

/// The reason and the time in seconds after which an identity ends.
async fn end(identity: &Identity) -> (SessionEndReason, u64) {
    let start = Instant::now();
    let reason = identity.session_ended().await;
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
async fn session_ends_at_expiry() {
    let switched = Switched::new(session(), ALL);
    let identity = identity(layer(switched), cookie()).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Expired, 3600));
    // The result is the same for a later caller.
    assert_eq!(end(&identity).await, (SessionEndReason::Expired, 0));
}

#[tokio::test(start_paused = true)]
async fn sign_out_ends_the_session() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let lookups = Arc::clone(&switched.lookups);
    let identity = identity(layer(switched), cookie()).await;
    after(12, move || store.remove_session("ses_ada")).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 15));
    assert_eq!(lookups.load(Ordering::SeqCst), 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn interval_is_configurable() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let builder = layer(switched).recheck_interval(Duration::from_secs(60));
    let identity = identity(builder, cookie()).await;
    after(1, move || store.remove_session("ses_ada")).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 60));
    for (interval, is_accepted) in [(0, false), (9, false), (10, true)] {
        let builder = layer(Switched::new(session(), ALL));
        let built = builder.recheck_interval(Duration::from_millis(interval)).build();
        match built {
            Ok(_) => assert!(is_accepted, "{interval}"),
            Err(error) => {
                assert!(!is_accepted, "{interval}: {error}");
                assert!(error.to_string().contains("recheck_interval"), "{error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ban_and_deletion_end_it() {
    for (what, change) in [
        (
            "ban",
            Box::new(|store: &MemoryStore| store.insert_user(ada().with_ban(None)))
                as Box<dyn Fn(&MemoryStore) + Send>,
        ),
        ("deletion", Box::new(|store: &MemoryStore| store.remove_user("usr_ada"))),
    ] {
        let switched = Switched::new(session(), ALL);
        let store = Arc::clone(&switched.store);
        let identity = identity(layer(switched), cookie()).await;
        after(1, move || change(&store)).await;
        assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 5), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn extended_session_continues() {
    let short = session_until(NOW + 7);
    let switched = Switched::new(short, ALL);
    let store = Arc::clone(&switched.store);
    let identity = identity(layer(switched), cookie()).await;
    after(6, move || store.insert_session(session_until(NOW + 20))).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Expired, 20));
}

fn session_until(seconds: i64) -> Session {
    Session::new("ses_ada", "usr_ada", at(seconds)).with_token(session().token().unwrap().clone())
}

#[tokio::test(start_paused = true)]
async fn token_expiry_ends_it() {
    let switched = Switched::new(session(), ALL);
    let token = sign(&claims_with("ada@example.com", json!({ "exp": NOW + 13 })));
    let identity = identity(layer(switched), bearer(&token)).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Expired, 13));
}

#[tokio::test(start_paused = true)]
async fn outage_ends_only_expired_sessions() {
    let switched = Switched::new(session_until(NOW + 42), ALL);
    let (store, is_down) = (Arc::clone(&switched.store), Arc::clone(&switched.is_down));
    let identity = identity(layer(switched), cookie()).await;
    is_down.store(true, Ordering::SeqCst);
    assert_eq!(end(&identity).await, (SessionEndReason::Expired, 42));
    let _ = store;

    let switched = Switched::new(session(), ALL);
    let (store, is_down) = (Arc::clone(&switched.store), Arc::clone(&switched.is_down));
    let identity = self::identity(layer(switched), cookie()).await;
    is_down.store(true, Ordering::SeqCst);
    store.remove_session("ses_ada");
    after(11, move || is_down.store(false, Ordering::SeqCst)).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 15));
}

/// A token that names no session continues with any session of the user, as a new request would.
#[tokio::test(start_paused = true)]
async fn unbound_token_ends_with_last_session() {
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
    let named = ask(&super::fixtures::jwt_of_session()).await;
    assert!(!unnamed.is_session_bound() && named.is_session_bound());
    store.remove_session("ses_ada");
    assert_eq!(end(&named).await, (SessionEndReason::Revoked, 5));
    let (ended, _) = tokio::join!(end(&unnamed), async {
        after(7, move || store.remove_session("ses_other")).await;
    });
    assert_eq!(ended, (SessionEndReason::Revoked, 10));
}

#[tokio::test(start_paused = true)]
async fn disabled_api_key_ends_it() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let builder = layer(switched).api_keys(ApiKeys::new());
    let identity = identity(builder, api_key()).await;
    store.remove_session("ses_ada");
    after(6, move || store.remove_api_key("key_ada")).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 10));
}

/// During an outage the session may still be valid.
#[tokio::test(start_paused = true)]
async fn lookup_is_repeated_unchanged() {
    let signer = Signer::ed25519("key-1");
    for (kinds, header) in [
        (&[LookupKind::SessionToken][..], cookie()),
        (&[LookupKind::Email], bearer(&jwt())),
        (&[LookupKind::UserId], bearer(&signer.token_for("usr_ada"))),
        (&[LookupKind::ApiKey], api_key()),
    ] {
        let switched = Switched::new(session(), kinds);
        let store = Arc::clone(&switched.store);
        let builder = layer(switched).api_keys(ApiKeys::new()).base_url(ISSUER);
        let keys: KeySet = jwks([&signer]).parse().unwrap();
        let identity = identity(builder.key_source(keys), header).await;
        after(6, move || {
            store.remove_session("ses_ada");
            store.remove_api_key("key_ada");
        })
        .await;
        assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 10), "{kinds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reused_email_ends_the_stream() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let identity = identity(layer(switched), bearer(&jwt())).await;
    after(6, move || {
        store.insert_user(User::new("usr_ada", "ada@example.org"));
        store.insert_user(User::new("usr_eve", "ada@example.com"));
        store.insert_session(Session::new("ses_eve", "usr_eve", at(NOW + 3600)));
    })
    .await;
    assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 10));
}

/// The cookie cache authenticates the request. The session decides about the end.
#[tokio::test(start_paused = true)]
async fn cookie_cache_stream_outlives_cache() {
    let issuer = TestDeployment::builder().cookie_cache(CookieCache::compact()).build();
    let signed_in = issuer.user("ada@example.com").create().sign_in();
    let auth = issuer
        .layer_builder()
        .cookie_cache(CookieCache::compact())
        .clock(TokioClock::from(issuer.clock().now()))
        .build()
        .unwrap();
    let request = signed_in.cookie_cache().apply(http::Request::get("/"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let identity = auth.authenticator().authenticate(&parts).await.unwrap();
    assert_eq!(identity.credential(), CredentialKind::CookieCache);
    assert_eq!(issuer.total_lookups(), 0);
    let left = identity.expires_at().abs_diff(issuer.clock().now());
    assert_eq!(left, Duration::from_secs(300));

    after(301, move || signed_in.sign_out()).await;
    assert_eq!(end(&identity).await, (SessionEndReason::Revoked, 305));
}

#[tokio::test(start_paused = true)]
async fn hanging_store_delays_no_expiry() {
    // The ban is noticed at the check before the last one, and at the last one.
    for (expires_in, ends_after) in [(7, 7), (3, 4)] {
        let switched = Switched::new(session_until(NOW + expires_in), ALL);
        let hangs = Arc::clone(&switched.hangs);
        let builder = layer(switched).lookup_timeout(Duration::from_secs(60));
        let identity = identity(builder, cookie()).await;
        hangs.store(true, Ordering::SeqCst);
        assert_eq!(end(&identity).await, (SessionEndReason::Expired, ends_after));
    }
}

/// Frameworks box bodies, and some boxes require `Sync`.
#[tokio::test]
async fn types_fit_common_boxes() {
    fn fits<T: Send + Sync + 'static>(value: T) -> T {
        value
    }
    let identity = identity(layer(Switched::new(session(), ALL)), cookie()).await;
    drop(fits(identity.session_ended()));
    let body = UntilSessionEnd::new(Full::<Bytes>::from("whole"), &identity);
    let boxed: BoxBody<Bytes, Infallible> = fits(body).boxed();
    assert_eq!(boxed.collect().await.unwrap().to_bytes(), "whole");
}

/// A body that never ends and that reports its drop.
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
async fn body_ends_and_drops_its_source() {
    let switched = Switched::new(session(), ALL);
    let store = Arc::clone(&switched.store);
    let identity = identity(layer(switched), cookie()).await;
    let is_dropped = Arc::new(AtomicBool::new(false));
    let events = Events { sent: 0, is_dropped: Arc::clone(&is_dropped) };
    let mut body = Box::pin(UntilSessionEnd::new(events, &identity));
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
    // A further poll returns the end again.
    assert!(poll_fn(|cx| body.as_mut().poll_frame(cx)).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn short_body_is_complete() {
    let switched = Switched::new(session(), ALL);
    let identity = identity(layer(switched), cookie()).await;
    let body = UntilSessionEnd::new(Full::<Bytes>::from("all of it"), &identity);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "all of it");
}

/// The session has ended before the first frame.
#[tokio::test(start_paused = true)]
async fn late_body_is_empty() {
    let switched = Switched::new(session_until(NOW + 1), ALL);
    let identity = identity(layer(switched), cookie()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let body = UntilSessionEnd::new(Full::<Bytes>::from("too late"), &identity);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "");
}

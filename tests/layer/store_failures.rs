//! A store that fails: the request is rejected with 503, in time.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use support::prelude::*;

const WELL: u8 = 0;
const DOWN: u8 = 1;
const SILENT: u8 = 2;
const PANICS_AT_ONCE: u8 = 3;
const PANICS_LATER: u8 = 4;
const PANICS_IN_RESOLVE_NOW: u8 = 5;
const PANICS_WHEN_DROPPED: u8 = 6;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the store's code is wrong");
    }
}

struct Breakable {
    store: MemoryStore,
    mode: AtomicU8,
    lookups: AtomicUsize,
}

impl Breakable {
    fn new() -> Arc<Self> {
        let (mode, lookups) = (AtomicU8::new(WELL), AtomicUsize::new(0));
        Arc::new(Self { store: fixtures::memory(), mode, lookups })
    }

    fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
    }
}

impl UserStore for Breakable {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        match self.mode.load(Ordering::SeqCst) {
            DOWN => Err(StoreError::new(StoreErrorKind::Unavailable, "connection refused")),
            SILENT => std::future::pending().await,
            PANICS_WHEN_DROPPED => {
                let _bomb = Bomb;
                std::future::pending().await
            }
            PANICS_AT_ONCE => panic!("the store's code is wrong"),
            PANICS_LATER => {
                tokio::task::yield_now().await;
                panic!("the store's code is wrong")
            }
            _ => self.store.resolve(lookup).await,
        }
    }

    fn try_resolve(&self, _: &Lookup<'_>) -> Option<Resolution> {
        if self.mode.load(Ordering::SeqCst) == PANICS_IN_RESOLVE_NOW {
            panic!("the store's code is wrong");
        }
        None
    }
}

#[tokio::test(start_paused = true)]
async fn failing_store_is_unavailable() {
    let store = Breakable::new();
    let app = App::of(builder(Arc::clone(&store)).lookup_timeout(Duration::from_secs(3)));
    for mode in
        [DOWN, SILENT, PANICS_AT_ONCE, PANICS_LATER, PANICS_IN_RESOLVE_NOW, PANICS_WHEN_DROPPED]
    {
        store.set(mode);
        let started = tokio::time::Instant::now();
        for email in [ADA, "nobody@example.com", "no-session@example.com", "banned@example.com"] {
            app.rejects(&token_for(email), &format!("mode {mode}: {email}"), Unavailable).await;
        }
        let elapsed = started.elapsed();
        if mode == SILENT || mode == PANICS_WHEN_DROPPED {
            assert_eq!(elapsed.as_secs(), 4 * 3, "each at the deadline");
        } else {
            assert!(elapsed < Duration::from_secs(1), "mode {mode}: {elapsed:?}");
        }
        store.set(WELL);
        app.accepts(&token_for(ADA), "recovered", "usr_ada", "ses_ada").await;
        app.rejects(&token_for("nobody@example.com"), "recovered", UserNotFound).await;
    }
}

#[tokio::test(start_paused = true)]
async fn outage_hides_no_invalid_token() {
    let store = Breakable::new();
    let app = App::new(Arc::clone(&store));
    for mode in [WELL, DOWN, SILENT, PANICS_AT_ONCE, PANICS_IN_RESOLVE_NOW] {
        store.set(mode);
        let forged = sign_raw(HEADER, claims(ADA).to_string(), "another-secret-of-somebody-else");
        app.rejects(&forged, &format!("mode {mode}"), InvalidCredential).await;
        app.rejects(http::HeaderMap::new(), &format!("mode {mode}"), MissingCredential).await;
    }
    // The same holds for a token that expires now.
    store.set(WELL);
    let ended = claims_with(ADA, serde_json::json!({ "exp": support::test_clock::NOW }));
    app.rejects(&sign(&ended), "ended", InvalidCredential).await;
    assert_eq!(store.lookups.load(Ordering::SeqCst), 0);
    app.accepts(&token_for(ADA), "good", "usr_ada", "ses_ada").await;
    assert_eq!(store.lookups.load(Ordering::SeqCst), 1);
}

/// A pooler may mix up results.
#[tokio::test]
async fn mismatched_result_is_unavailable() {
    let session = |user: &'static str| Session::new("ses", user, Timestamp::MAX);
    let wrong = [
        Resolution::found(User::new("usr_eve", "eve@example.com"), session("usr_eve")),
        Resolution::found(User::new("usr_ada", ADA), session("usr_eve")),
        Resolution::found(User::new("usr_ada", ""), session("usr_ada")),
    ];
    for resolution in wrong {
        let what = format!("{resolution:?}");
        let answers = resolution.clone();
        let app = App::new(store_fn(move |_| std::future::ready(Ok(answers.clone()))));
        app.rejects(&token_for(ADA), &what, Unavailable).await;
    }
    // The session is not the requested one.
    let app = App::new(store_fn(|_| async {
        Ok::<_, StoreError>(Resolution::found(
            User::new("usr_ada", ADA),
            Session::new("ses", "usr_ada", Timestamp::MAX),
        ))
    }));
    let token = support::token::sign(&support::token::claims_with(
        ADA,
        serde_json::json!({ "sid": "another" }),
    ));
    app.rejects(&token, "another session", Unavailable).await;
    app.accepts(&token_for(ADA), "the right answer", "usr_ada", "ses").await;
}

/// The layer does not rely on the store for expiry and bans.
#[tokio::test]
async fn expiry_and_bans_are_rechecked() {
    let careless = |user: User, session: Session| {
        let resolution = Resolution::found(user, session);
        App::new(store_fn(move |_| std::future::ready(Ok(resolution.clone()))))
    };
    let now = at(support::test_clock::NOW);
    let ada = || User::new("usr_ada", ADA);
    let ended = careless(ada(), Session::new("ses", "usr_ada", now));
    ended.rejects(&token_for(ADA), "ended just now", NoActiveSession).await;
    let banned = careless(ada().with_ban(None), Session::new("ses", "usr_ada", Timestamp::MAX));
    banned.rejects(&token_for(ADA), "banned", UserBanned).await;
}

/// The token must be valid when the request is forwarded.
#[tokio::test]
async fn token_may_expire_during_lookup() {
    let clock = clock();
    let moved = clock.clone();
    let slow = store_fn(move |_| {
        moved.advance(Duration::from_secs(600));
        std::future::ready(Ok(Resolution::found(
            User::new("usr_ada", ADA),
            Session::new("ses", "usr_ada", Timestamp::MAX),
        )))
    });
    let app = App::of(builder(slow).clock(clock));
    app.rejects(&token_for(ADA), "ended meanwhile", InvalidCredential).await;
}

#[tokio::test]
async fn try_resolve_avoids_a_future() {
    struct AtHand;
    impl UserStore for AtHand {
        async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
            panic!("not asked")
        }
        fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
            assert_eq!(lookup.key().kind(), LookupKind::Email);
            let session = Session::new("ses", "usr_ada", Timestamp::MAX);
            Some(Resolution::found(User::new("usr_ada", ADA), session))
        }
    }
    App::new(AtHand).send(&token_for(ADA)).await.assert_identity("at hand", "usr_ada", "ses");
}

/// A store that is ready at once needs no timers: any executor works.
#[test]
fn memory_store_needs_no_runtime() {
    let layer = builder(fixtures::memory()).build().unwrap();
    let request =
        http::Request::get("/").header("authorization", format!("Bearer {}", token_for(ADA)));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let mut authenticate = layer.authenticator().authenticate(&parts);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(result) = std::pin::Pin::new(&mut authenticate).poll(&mut context)
    else {
        panic!("not ready");
    };
    assert_eq!(result.unwrap().user().id(), "usr_ada");
    // Polling after completion panics, as for other futures.
    let again = std::panic::catch_unwind(AssertUnwindSafe(|| {
        std::pin::Pin::new(&mut authenticate).poll(&mut context).is_pending()
    }));
    assert!(again.is_err());
}

#[tokio::test(start_paused = true)]
async fn ready_checks_the_store() {
    let store = Breakable::new();
    let layer = builder(Arc::clone(&store)).lookup_timeout(Duration::from_secs(3)).build().unwrap();
    layer.authenticator().ready().await.unwrap();
    for (mode, kind) in [
        (DOWN, StoreErrorKind::Unavailable),
        (SILENT, StoreErrorKind::Timeout),
        (PANICS_LATER, StoreErrorKind::Panicked),
    ] {
        store.set(mode);
        assert_eq!(layer.authenticator().ready().await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn previous_secrets_are_opt_in() {
    let ring = || {
        let current = Secret::new("the-new-secret-of-the-deployment").unwrap();
        SecretRing::new(current).with_previous(Secret::new(support::token::SECRET).unwrap())
    };
    let builder =
        || BetterAuthLayer::builder().clock(clock()).store(fixtures::memory()).secrets(ring());
    let old = token_for(ADA);
    let new = sign_raw(HEADER, claims(ADA).to_string(), "the-new-secret-of-the-deployment");
    let (strict, graceful) = (App::of(builder()), App::of(builder().accept_previous_secrets()));
    strict.rejects(&old, "old", InvalidCredential).await;
    graceful.accepts(&old, "old", "usr_ada", "ses_ada").await;
    for app in [strict, graceful] {
        app.accepts(&new, "new", "usr_ada", "ses_ada").await;
    }
}

//! Concurrent identical lookups share the next lookup, and no request gets a result from before it
//! started.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};
use support::prelude::*;

use http::request::Parts;
use tokio::task::{JoinHandle, JoinSet};

fn send(app: &App, token: &str) -> JoinHandle<TestResponse> {
    let (app, token) = (app.clone(), token.to_owned());
    tokio::spawn(async move { app.send(&token).await })
}

fn send_all(app: &App, many: usize, token: &str) -> Vec<JoinHandle<TestResponse>> {
    (0..many).map(|_| send(app, token)).collect()
}

/// A store with one held-back lookup for Ada, and followers of the request that started it.
async fn one_asks(
    followers: usize,
) -> (MockStore, App, JoinHandle<TestResponse>, Vec<JoinHandle<TestResponse>>) {
    let store = MockStore::new();
    let app = App::new(store.clone());
    store.close();
    let first = send(&app, &token_for(ADA));
    store.wait_for(1).await;
    let others = send_all(&app, followers, &token_for(ADA));
    store.wait_for(1).await;
    (store, app, first, others)
}

async fn assert_ada(request: JoinHandle<TestResponse>) {
    let answer = request.await.unwrap();
    answer.assert_identity("ada", "usr_ada", "ses_ada");
}

#[tokio::test(start_paused = true)]
async fn followers_share_the_next_lookup() {
    let (store, app, first, others) = one_asks(50).await;
    store.release_one();
    assert_ada(first).await;
    store.wait_for(2).await;
    assert!(others.iter().all(|request| !request.is_finished()));
    // The second lookup is running, so this request waits for the third.
    let late = send(&app, &token_for(ADA));
    store.wait_for(2).await;
    store.release_one();
    for request in others {
        assert_ada(request).await;
    }
    store.wait_for(3).await;
    assert!(!late.is_finished());
    store.release_one();
    assert_ada(late).await;
    store.wait_for(3).await;
}

#[tokio::test(start_paused = true)]
async fn sign_out_before_request_is_seen() {
    let store = MockStore::new();
    let app = App::new(store.clone());
    store.close();
    let before = send(&app, &token_for(ADA));
    store.wait_for(1).await;
    store.memory.remove_session("ses_ada");
    let after = send_all(&app, 3, &token_for(ADA));
    store.wait_for(1).await;
    store.open();
    // This lookup ran before the sign-out.
    assert_ada(before).await;
    for request in after {
        let answer = request.await.unwrap();
        answer.assert_rejected("signed out", NoActiveSession);
    }
    assert_eq!(store.lookups(), 2);
}

#[tokio::test(start_paused = true)]
async fn different_lookups_run_in_parallel() {
    let store = MockStore::new();
    let app = App::new(store.clone());
    let token = "3PN0uDvcHdjaT3B3eiExfAgbimuvLkp9";
    let session = Session::new("ses_ada", "usr_ada", at(NOW + 3600));
    let session = session.with_token(SessionToken::new(token));
    store.memory.insert_session(session);
    // An email that looks like a token.
    store.memory.insert_user(User::new("usr_odd", token));
    store.close();
    // The same user and session, but different lookup keys.
    let narrowed = |sid: &str| sign(&claims_with(ADA, json!({ "sid": sid })));
    let tokens = [
        token_for(ADA),
        token_for("ADA@example.com"),
        narrowed("ses_ada"),
        narrowed("ses_other"),
        signed_session_token(token),
        token_for("several@example.com"),
        token_for(token),
    ];
    let requests: Vec<_> = tokens.iter().map(|token| send(&app, token)).collect();
    store.wait_for(tokens.len()).await;
    store.open();
    let mut bodies = Vec::new();
    for request in requests {
        bodies.push(request.await.unwrap().body);
    }
    let no_session = r#"{"error": "No active sessions found for user", "status": 404}"#;
    let ada = "usr_ada ses_ada";
    assert_eq!(
        bodies,
        [ada, ada, ada, no_session, ada, "usr_several ses_several_long_a", no_session]
    );
}

#[tokio::test(start_paused = true)]
async fn dropped_leader_is_replaced() {
    let (store, _gate, first, mut others) = one_asks(3).await;
    first.abort();
    store.wait_for(2).await;
    // One of the three followers becomes the leader. When it is dropped, the next one does.
    for begun in [3, 4] {
        let before = others.len();
        for request in &others {
            // Dropping a follower changes nothing.
            if store.lookups() < begun {
                request.abort();
                settle().await;
            }
        }
        others.retain(|request| !request.is_finished());
        assert!(others.len() < before);
        store.wait_for(begun).await;
        if others.len() == 1 {
            break;
        }
    }
    store.open();
    for request in others {
        assert_ada(request).await;
    }
}

#[tokio::test(start_paused = true)]
async fn abandoned_lookup_is_restarted() {
    let (store, app, first, others) = one_asks(3).await;
    // The followers are dropped first, so no request is left to become the leader.
    for request in others {
        request.abort();
    }
    settle().await;
    first.abort();
    settle().await;
    assert_eq!(store.lookups(), 1);
    let next = send(&app, &token_for(ADA));
    store.wait_for(2).await;
    store.open();
    assert_ada(next).await;

    let (store, app, first, others) = one_asks(3).await;
    first.abort();
    store.wait_for(2).await;
    let behind = send_all(&app, 2, &token_for(ADA));
    settle().await;
    // The last member of the current round is dropped, and the next round starts.
    for request in others {
        request.abort();
    }
    settle().await;
    store.open();
    for request in behind {
        assert_ada(request).await;
    }
}

#[tokio::test(start_paused = true)]
async fn panicking_leader_is_replaced() {
    let (store, _gate, first, others) = one_asks(3).await;
    store.set(Mode::Panic);
    store.release_one();
    let answer = first.await.unwrap();
    answer.assert_rejected("panicked", Unavailable);
    store.wait_for(2).await;
    store.release_one();
    // One of the three followers panicked, too.
    store.wait_for(3).await;
    store.set(Mode::Work);
    store.open();
    let mut refused = 0;
    for request in others {
        let answer = request.await.unwrap();
        if answer.kind.is_some() {
            answer.assert_rejected("panicked", Unavailable);
            refused += 1;
        } else {
            answer.assert_identity("ada", "usr_ada", "ses_ada");
        }
    }
    assert_eq!((refused, store.lookups()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn failure_is_shared_with_followers() {
    let (store, app, first, others) = one_asks(20).await;
    store.set(Mode::Fail);
    store.release_one();
    let answer = first.await.unwrap();
    answer.assert_rejected("failed", Unavailable);
    store.wait_for(2).await;
    let late = send(&app, &token_for(ADA));
    settle().await;
    store.release_one();
    for request in others {
        let answer = request.await.unwrap();
        answer.assert_rejected("failed", Unavailable);
    }
    store.set(Mode::Work);
    store.open();
    assert_ada(late).await;
    assert_eq!(store.lookups(), 3);
}

#[tokio::test(start_paused = true)]
async fn stalled_leader_is_replaced_in_time() {
    let store = MockStore::new();
    let app = App::of(builder(store.clone()).lookup_timeout(Duration::from_secs(3)));
    store.close();
    let token = token_for(ADA);
    let mut forgotten = Box::pin(app.send(&token));
    let mut context = Context::from_waker(Waker::noop());
    assert!(forgotten.as_mut().poll(&mut context).is_pending());
    // This request follows the stalled one.
    app.rejects(&token, "held up", Unavailable).await;
    assert_eq!(store.lookups(), 1);
    let next = send(&app, &token);
    store.wait_for(2).await;
    // It is no longer the leader.
    drop(forgotten);
    let late = send(&app, &token);
    store.wait_for(2).await;
    store.open();
    assert_ada(next).await;
    assert_ada(late).await;
    assert_eq!(store.lookups(), 3);
}

/// The shared lookup uses the latest time of all followers.
#[tokio::test(start_paused = true)]
async fn latest_time_is_used() {
    let clock = clock();
    let store = MockStore::new();
    let app = App::of(builder(store.clone()).clock(clock.clone()));
    store.close();
    // Ends in a second. The user also has an impersonated session.
    store.memory.insert_session(Session::new("ses_own", "usr_impersonated", at(NOW + 1)));
    let token = token_for("impersonated@example.com");
    let first = send(&app, &token);
    store.wait_for(1).await;
    let early = send(&app, &token);
    settle().await;
    clock.advance(Duration::from_secs(1));
    let late = send(&app, &token);
    settle().await;
    store.open();
    let answer = first.await.unwrap();
    answer.assert_rejected("ended meanwhile", NoActiveSession);
    for request in [early, late] {
        let answer = request.await.unwrap();
        answer.assert_identity("the other", "usr_impersonated", "ses_admin");
    }
    assert_eq!(store.lookups(), 2);
}

/// Many users, whose sessions end one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn results_never_mix_under_load() {
    const USERS: usize = 20;
    const SESSIONS: usize = 8;
    let memory = Arc::new(MemoryStore::new());
    for user in 0..USERS {
        memory.insert_user(User::new(id(user), format!("{}@example.com", id(user))));
        for session in 0..SESSIONS {
            // The session with the highest number is preferred.
            let expires_at = at(NOW + 100 + session as i64);
            let name = format!("{}_{session}", id(user));
            memory.insert_session(Session::new(name, id(user), expires_at));
        }
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let (reads, counter) = (Arc::clone(&memory), Arc::clone(&asked));
    let app = App::new(store_fn(move |lookup: Lookup<'static>| {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        let reads = Arc::clone(&reads);
        async move {
            let answer = reads.resolve(lookup).await;
            for _ in 0..number % 7 {
                tokio::task::yield_now().await;
            }
            answer
        }
    }));
    let left: Arc<Vec<AtomicUsize>> =
        Arc::new((0..USERS).map(|_| AtomicUsize::new(SESSIONS)).collect());
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for worker in 0..16 {
        let (app, left, stop) = (app.clone(), Arc::clone(&left), Arc::clone(&stop));
        workers.spawn(async move {
            let mut requests = 0;
            let mut user = worker;
            while !stop.load(Ordering::SeqCst) {
                user = (user * 13 + 7) % USERS;
                let before = left[user].load(Ordering::SeqCst);
                let answer = app.send(&token_for(&format!("{}@example.com", id(user)))).await;
                requests += 1;
                let highest = match answer.kind {
                    Some(kind) => {
                        assert_eq!(kind, NoActiveSession);
                        0
                    }
                    None => {
                        let (found, session) = answer.body.split_once(' ').unwrap();
                        assert_eq!(found, id(user));
                        let number = session.strip_prefix(&format!("{}_", id(user))).unwrap();
                        number.parse::<usize>().unwrap() + 1
                    }
                };
                assert!(highest <= before, "{}: {highest} of {before}", id(user));
            }
            requests
        });
    }
    for session in (0..SESSIONS).rev() {
        for (user, left) in left.iter().enumerate() {
            memory.remove_session(&format!("{}_{session}", id(user)));
            left.store(session, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    let requests: usize = workers.join_all().await.into_iter().sum();
    let lookups = asked.load(Ordering::SeqCst);
    assert!(lookups < requests, "{lookups} lookups for {requests} requests");
}

/// Sequential requests do not share lookups.
#[tokio::test]
async fn sequential_requests_all_look_up() {
    let store = MockStore::new();
    let app = App::new(store.clone());
    for lookups in 1..5 {
        app.accepts(&token_for(ADA), "alone", "usr_ada", "ses_ada").await;
        assert_eq!(store.lookups(), lookups);
    }
}

/// `try_resolve`, `ready` and `supports` are delegated to the store.
#[tokio::test]
async fn other_methods_are_delegated() {
    struct Other;
    impl UserStore for Other {
        async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
            panic!("not asked")
        }
        fn try_resolve(&self, _: &Lookup<'_>) -> Option<Resolution> {
            Some(Resolution::UserNotFound)
        }
        fn supports(&self, kind: LookupKind) -> bool {
            kind != LookupKind::SessionToken
        }
        async fn ready(&self) -> Result<(), StoreError> {
            Err(StoreError::timeout())
        }
    }
    let error = builder(Other).build().unwrap_err();
    assert!(error.to_string().contains("by session token"), "{error}");
    let layer = builder(Other).without_session_tokens().build().unwrap();
    layer.authenticator().ready().await.unwrap_err();
    let answer = layer.authenticator().authenticate(&parts(&token_for(ADA))).await;
    assert_eq!(answer.unwrap_err().kind(), UserNotFound);
}

fn id(user: usize) -> String {
    format!("usr_{user}")
}

fn parts(token: &str) -> Parts {
    let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
    request.body(()).unwrap().into_parts().0
}

//! The invalidator for applications and listeners.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::prelude::*;

use tokio::task::JoinSet;

fn by_email(address: &str) -> Lookup<'_> {
    Lookup::by_email(address, now())
}

fn cached() -> (MockStore, TestClock, CachedStore<MockStore>, CacheInvalidator) {
    let (store, clock) = (MockStore::new(), clock());
    let cached = CachedStore::builder(store.clone()).clock(clock.clone());
    let cached = cached.build().unwrap();
    let invalidation = cached.invalidator();
    (store, clock, cached, invalidation)
}

#[tokio::test]
async fn every_lookup_key_is_invalidated() {
    let (_, _, cached, invalidation) = cached();
    let (token, hash) = (SessionToken::new("ses_ada"), ApiKeyHash::from_key("app_of-ada"));
    // With whether the lookup depends on the session.
    let questions = [
        (by_email(ADA), true),
        (by_email("ADA@example.com"), true),
        (by_email(ADA).with_session_id("ses_ada"), true),
        (Lookup::by_user_id("usr_ada", now()), true),
        (Lookup::by_session_token(&token, now()), true),
        (Lookup::by_api_key(&hash, now()), false),
    ];
    type Tell = fn(&CacheInvalidator);
    let cases: [(&str, Tell, bool); 3] = [
        ("user", |told| told.invalidate_user("usr_ada"), true),
        ("session", |told| told.invalidate_session("ses_ada"), false),
        ("all", |told| told.clone().invalidate_all(), true),
    ];
    for (case, tell, keys_too) in cases {
        for (question, _) in &questions {
            cached.resolve(question.clone()).await.unwrap();
            assert!(cached.try_resolve(question).is_some(), "{case} {question:?}");
        }
        tell(&invalidation);
        for (question, is_about_session) in &questions {
            let is_forgotten = cached.try_resolve(question).is_none();
            assert_eq!(is_forgotten, *is_about_session || keys_too, "{case} {question:?}");
        }
    }
}

#[tokio::test]
async fn other_entries_are_kept() {
    let memory = MemoryStore::new();
    let address = |user: usize| format!("{user}@example.com");
    for user in 0..100 {
        memory.insert_user(User::new(format!("usr_{user}"), address(user)));
        let session = format!("ses_{user}");
        memory.insert_session(Session::new(session, format!("usr_{user}"), Timestamp::MAX));
    }
    let cached = CachedStore::new(memory);
    for user in 0..100 {
        cached.resolve(by_email(&address(user))).await.unwrap();
    }
    let invalidation = cached.invalidator();
    // The id of a user is not the id of a session.
    for user in 0..100 {
        invalidation.invalidate_session(&format!("usr_{user}"));
        invalidation.invalidate_user(&format!("ses_{user}"));
    }
    for user in 0..10 {
        invalidation.invalidate_user(&format!("usr_{user}"));
        invalidation.invalidate_session(&format!("ses_{}", user + 10));
    }
    let remembered = |user: &usize| cached.try_resolve(&by_email(&address(*user))).is_some();
    assert_eq!((0..20).filter(remembered).count(), 0);
    // Some of these share a slot by chance.
    let others = (20..100).filter(remembered).count();
    assert!(others > 60, "{others}");
}

/// The store reads, the session ends, and then the result arrives. Slots are shared by hash, but a
/// small cache has several slots, too.
#[tokio::test]
async fn small_cache_tells_users_apart() {
    let cached = CachedStore::builder(MockStore::new()).max_entries(1);
    let cached = cached.build().unwrap();
    let mut remembered = 0;
    for other in 0..8 {
        cached.resolve(by_email(ADA)).await.unwrap();
        cached.invalidator().invalidate_user(&format!("usr_{other}"));
        remembered += usize::from(cached.try_resolve(&by_email(ADA)).is_some());
    }
    assert!(remembered > 0);
}

#[tokio::test]
async fn stale_result_is_not_cached() {
    type Tell = fn(&CacheInvalidator);
    let cases: [(&str, Tell); 5] = [
        ("user", |told| told.invalidate_user("usr_ada")),
        ("session", |told| told.invalidate_session("ses_ada")),
        ("all", CacheInvalidator::invalidate_all),
        ("a listener", |told| told.extend_lease(Duration::from_secs(60))),
        ("lost and back", |told| {
            told.end_lease();
            told.extend_lease(Duration::from_secs(60));
        }),
    ];
    for (case, tell) in cases {
        let (store, _, cached, invalidation) = cached();
        store.close();
        let asking = tokio::spawn({
            let cached = cached.clone();
            async move { cached.resolve(by_email(ADA)).await.unwrap() }
        });
        store.wait_for(1).await;
        store.memory.remove_session("ses_ada");
        tell(&invalidation);
        store.open();
        let before = asking.await.unwrap();
        assert!(matches!(before, Resolution::Found { .. }), "{case}");
        assert!(cached.try_resolve(&by_email(ADA)).is_none(), "{case}");
        let after = cached.resolve(by_email(ADA)).await.unwrap();
        assert!(matches!(after, Resolution::NoActiveSession), "{case}");
        // A lookup after the change is cached.
        let session = Session::new("ses_ada", "usr_ada", Timestamp::MAX);
        store.memory.insert_session(session);
        cached.resolve(by_email(ADA)).await.unwrap();
        assert!(cached.try_resolve(&by_email(ADA)).is_some(), "{case}");
    }
}

#[tokio::test]
async fn expired_lease_disables_the_cache() {
    let (store, clock, cached, invalidation) = cached();
    let hits = || cached.try_resolve(&by_email(ADA)).is_some();
    let ask = async || {
        cached.resolve(by_email(ADA)).await.unwrap();
        store.lookups()
    };
    ask().await;
    assert!(hits());
    // Entries from before the lease are not used.
    invalidation.extend_lease(Duration::from_secs(10));
    assert!(!hits());
    assert_eq!(ask().await, 2);
    // Longer than the TTL without a lease.
    for _ in 0..59 {
        clock.advance(Duration::from_secs(1));
        invalidation.extend_lease(Duration::from_secs(10));
        assert!(hits());
    }
    clock.advance(Duration::from_secs(1));
    assert!(!hits(), "a minute");
    assert_eq!(ask().await, 3);
    // Without renewal the lease ends. Nothing is cached then.
    clock.advance(Duration::from_millis(8_999));
    assert!(hits());
    clock.advance(Duration::from_millis(1));
    assert!(!hits());
    assert_eq!((ask().await, ask().await), (4, 5));
    invalidation.extend_lease(Duration::from_secs(10));
    assert!(!hits(), "events in between are unknown");
    assert_eq!((ask().await, ask().await), (6, 6));
    // The same holds after `end_lease`.
    invalidation.end_lease();
    assert!(!hits());
    assert_eq!((ask().await, ask().await), (7, 8));
    invalidation.extend_lease(Duration::from_secs(10));
    assert!(!hits());
    assert_eq!((ask().await, ask().await), (9, 9));
    // A renewal keeps the entries.
    invalidation.extend_lease(Duration::from_secs(10));
    assert!(hits());
    // The duration overflows the timestamp.
    invalidation.extend_lease(Duration::MAX);
    clock.advance(Duration::from_secs(11));
    assert!(hits());
}

/// A listener gets no events for API keys, whose uses are counted elsewhere.
#[tokio::test]
async fn lease_extends_no_api_key() {
    let (_, clock, cached, invalidation) = cached();
    invalidation.extend_lease(Duration::from_secs(60));
    let hash = ApiKeyHash::from_key("app_of-ada");
    let lookup = Lookup::by_api_key(&hash, now());
    cached.resolve(lookup.clone()).await.unwrap();
    clock.advance(Duration::from_millis(4_999));
    assert!(cached.try_resolve(&lookup).is_some());
    clock.advance(Duration::from_millis(1));
    assert!(cached.try_resolve(&lookup).is_none());
}

struct Slow {
    memory: Arc<MemoryStore>,
    asked: AtomicUsize,
}

impl UserStore for Slow {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.memory.resolve(lookup).await;
        for _ in 0..number % 7 {
            tokio::task::yield_now().await;
        }
        answer
    }
}

/// Many users, whose sessions end one after the other, with an invalidation for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn results_never_mix_under_load() {
    const USERS: usize = 20;
    const SESSIONS: usize = 8;
    let id = |user: usize| format!("usr_{user}");
    let memory = Arc::new(MemoryStore::new());
    for user in 0..USERS {
        memory.insert_user(User::new(id(user), format!("{}@example.com", id(user))));
        for session in 0..SESSIONS {
            // The session with the highest number is preferred.
            let ends = at(NOW + 100 + session as i64);
            let name = format!("{}_{session}", id(user));
            memory.insert_session(Session::new(name, id(user), ends));
        }
    }
    let store = Arc::new(Slow { memory: Arc::clone(&memory), asked: AtomicUsize::new(0) });
    let cached = CachedStore::builder(store.clone()).max_entries(15);
    let cached = cached.build().unwrap();
    let invalidation = cached.invalidator();
    // With and without the layer's single flight.
    let app = App::of(builder(cached.clone()));
    let left: Arc<Vec<AtomicUsize>> =
        Arc::new((0..USERS).map(|_| AtomicUsize::new(SESSIONS)).collect());
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for worker in 0..16 {
        let (app, cached) = (app.clone(), cached.clone());
        let (left, stop) = (Arc::clone(&left), Arc::clone(&stop));
        workers.spawn(async move {
            let mut requests = 0;
            let mut user = worker;
            while !stop.load(Ordering::SeqCst) {
                user = (user * 13 + 7) % USERS;
                let address = format!("{}@example.com", id(user));
                let before = left[user].load(Ordering::SeqCst);
                let found = if worker % 2 == 0 {
                    let answer = app.send(&token_for(&address)).await;
                    answer.kind.is_none().then_some(answer.body)
                } else {
                    let lookup = by_email(&address);
                    match cached.resolve(lookup).await.unwrap() {
                        Resolution::Found { user, session, .. } => {
                            Some(format!("{} {}", user.id(), session.id()))
                        }
                        _ => None,
                    }
                };
                requests += 1;
                let highest = found.map_or(0, |found| {
                    let prefix = format!("{0} {0}_", id(user));
                    let number = found.strip_prefix(&prefix).expect("the right user");
                    number.parse::<usize>().unwrap() + 1
                });
                assert!(highest <= before, "{}: {highest} of {before}", id(user));
                tokio::task::yield_now().await;
            }
            requests
        });
    }
    for session in (0..SESSIONS).rev() {
        for (user, left) in left.iter().enumerate() {
            let name = format!("{}_{session}", id(user));
            memory.remove_session(&name);
            match user % 3 {
                0 => invalidation.invalidate_session(&name),
                1 => invalidation.invalidate_user(&id(user)),
                _ => invalidation.invalidate_all(),
            }
            left.store(session, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    let requests: usize = workers.join_all().await.into_iter().sum();
    let lookups = store.asked.load(Ordering::SeqCst);
    assert!(lookups < requests, "{lookups} lookups for {requests} requests");
}

//! The cache in front of a store.

use support::prelude::*;
fn by_email(address: &str) -> Lookup<'_> {
    Lookup::by_email(address, now())
}

/// The ids of the user and of the session or key, or the error.
fn what(answer: Result<Resolution, StoreError>) -> String {
    match answer {
        Ok(Resolution::Found { user, session, .. }) => format!("{} {}", user.id(), session.id()),
        Ok(Resolution::FoundApiKey { user, api_key, .. }) => {
            format!("{} {}", user.id(), api_key.id())
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => error.kind().as_str().to_owned(),
    }
}

fn cache(store: &MockStore, clock: &TestClock) -> CachedStoreBuilder<MockStore> {
    CachedStore::builder(store.clone()).clock(clock.clone())
}

fn cached() -> (MockStore, TestClock, CachedStore<MockStore>) {
    let (store, clock) = (MockStore::new(), clock());
    let cached = cache(&store, &clock).build().unwrap();
    (store, clock, cached)
}

#[tokio::test]
async fn found_users_are_cached() {
    let (store, _, cached) = cached();
    let (token, hash) = (SessionToken::new("ses_ada"), ApiKeyHash::from_key("app_of-ada"));
    let questions = [
        (by_email(ADA), "usr_ada ses_ada"),
        (by_email("ADA@example.com"), "usr_ada ses_ada"),
        (by_email(ADA).with_session_id("ses_ada"), "usr_ada ses_ada"),
        (Lookup::by_user_id("usr_ada", now()), "usr_ada ses_ada"),
        (Lookup::by_session_token(&token, now()), "usr_ada ses_ada"),
        (Lookup::by_api_key(&hash, now()), "usr_ada key_ada"),
        (by_email("several@example.com"), "usr_several ses_several_long_a"),
        (
            by_email("several@example.com").with_session_id("ses_several_short"),
            "usr_several ses_several_short",
        ),
    ];
    for (lookups, (question, answer)) in questions.iter().enumerate() {
        // Each lookup has a separate entry, although most have the same result.
        assert!(cached.try_resolve(question).is_none(), "{question:?}");
        assert_eq!(what(cached.resolve(question.clone()).await), *answer);
        assert_eq!(store.lookups(), lookups + 1);
    }
    for (question, answer) in &questions {
        let at_hand = cached.try_resolve(question).expect("a hit");
        assert_eq!(what(Ok(at_hand)), *answer);
        assert_eq!(what(cached.resolve(question.clone()).await), *answer);
    }
    assert_eq!(store.lookups(), questions.len());
}

#[tokio::test]
async fn entry_expires_after_its_ttl() {
    let (store, clock, cached) = cached();
    cached.resolve(by_email(ADA)).await.unwrap();
    store.memory.remove_session("ses_ada");
    clock.advance(Duration::from_millis(4999));
    assert!(cached.try_resolve(&by_email(ADA)).is_some());
    clock.advance(Duration::from_millis(1));
    assert!(cached.try_resolve(&by_email(ADA)).is_none());
    assert_eq!(what(cached.resolve(by_email(ADA)).await), "NoActiveSession");

    // The age is measured from the start of the lookup, in monotonic time.
    store.close();
    let slow = tokio::spawn({
        let cached = cached.clone();
        async move { cached.resolve(by_email("several@example.com")).await }
    });
    store.wait_for(3).await;
    clock.advance(Duration::from_secs(4));
    clock.set_wall(at(NOW - 86_400));
    store.open();
    slow.await.unwrap().unwrap();
    assert!(cached.try_resolve(&by_email("several@example.com")).is_some());
    clock.advance(Duration::from_secs(1));
    assert!(cached.try_resolve(&by_email("several@example.com")).is_none());
}

#[tokio::test]
async fn entry_ends_with_session_or_key() {
    let (store, _, cached) = cached();
    // Both end after one second, before the TTL.
    let edge = |seconds| Lookup::by_email("edge@example.com", at(seconds));
    cached.resolve(edge(NOW)).await.unwrap();
    assert!(cached.try_resolve(&edge(NOW)).is_some());
    assert!(cached.try_resolve(&edge(NOW + 1)).is_none());
    let hash = ApiKeyHash::from_key("app_edge");
    cached.resolve(Lookup::by_api_key(&hash, now())).await.unwrap();
    assert!(cached.try_resolve(&Lookup::by_api_key(&hash, now())).is_some());
    let later = Lookup::by_api_key(&hash, at(NOW + 1));
    assert!(cached.try_resolve(&later).is_none());
    assert_eq!(store.lookups(), 2);
    assert_eq!(what(cached.resolve(edge(NOW + 1)).await), "NoActiveSession");
    assert_eq!(store.lookups(), 3);
}

#[tokio::test]
async fn misses_and_errors_are_not_cached() {
    let (store, _, cached) = cached();
    let (token, hash) = (SessionToken::new("unknown"), ApiKeyHash::from_key("unknown"));
    let questions = [
        (by_email("nobody@example.com"), "UserNotFound"),
        (by_email("no-session@example.com"), "NoActiveSession"),
        (Lookup::by_session_token(&token, now()), "NoActiveSession"),
        (Lookup::by_api_key(&hash, now()), "ApiKeyNotFound"),
    ];
    for (lookups, (question, answer)) in questions.iter().enumerate() {
        for again in 0..2 {
            assert_eq!(what(cached.resolve(question.clone()).await), *answer);
            assert!(cached.try_resolve(question).is_none());
            assert_eq!(store.lookups(), 2 * lookups + again + 1);
        }
    }
    // A sign-in takes effect immediately.
    let session = Session::new("ses_new", "usr_nosession", at(NOW + 60));
    store.memory.insert_session(session);
    let answer = cached.resolve(by_email("no-session@example.com")).await;
    assert_eq!(what(answer), "usr_nosession ses_new");

    store.set(Mode::Fail);
    for _ in 0..2 {
        assert_eq!(what(cached.resolve(by_email(ADA)).await), "timeout");
    }
    store.set(Mode::Work);
    assert_eq!(what(cached.resolve(by_email(ADA)).await), "usr_ada ses_ada");
    // A cached entry does not need the store.
    store.set(Mode::Fail);
    assert_eq!(what(cached.resolve(by_email(ADA)).await), "usr_ada ses_ada");
}

/// A pooler may mix up results. A mismatched result must not be cached.
#[tokio::test]
async fn mismatched_result_is_not_cached() {
    let eve = User::new("usr_eve", "eve@example.com");
    let key = ApiKey::new("key", "usr_eve", ApiKeyHash::from_key("app_eve"));
    let session = Session::new("ses", "usr_eve", Timestamp::MAX);
    let answers = [Resolution::found(eve.clone(), session), Resolution::found_api_key(eve, key)];
    for answer in answers {
        let store = store_fn(move |_| std::future::ready(Ok(answer.clone())));
        let cached = CachedStore::new(store);
        let hash = ApiKeyHash::from_key("app_of-ada");
        for question in [by_email(ADA), Lookup::by_api_key(&hash, now())] {
            cached.resolve(question.clone()).await.unwrap();
            assert!(cached.try_resolve(&question).is_none());
        }
    }
}

#[tokio::test]
async fn capacity_is_bounded() {
    const MOST: usize = 100;
    let memory = MemoryStore::new();
    let address = |user: usize| format!("user-{user}@example.com");
    for user in 0..10 * MOST {
        let id = format!("usr_{user}");
        memory.insert_session(Session::new(format!("ses_{user}"), id.as_str(), Timestamp::MAX));
        memory.insert_user(User::new(id, address(user)));
    }
    let cached = CachedStore::builder(memory).max_entries(MOST);
    let cached = cached.build().unwrap();
    let busy = address(0);
    for user in 0..10 * MOST {
        cached.resolve(by_email(&address(user))).await.unwrap();
        // A frequently used entry is not evicted.
        cached.try_resolve(&by_email(&busy));
    }
    let kept = (0..10 * MOST).filter(|user| {
        let found = cached.try_resolve(&by_email(&address(*user)));
        found.is_some_and(|found| {
            assert_eq!(what(Ok(found)), format!("usr_{user} ses_{user}"));
            true
        })
    });
    let kept = kept.count();
    assert!(kept > MOST / 2 && kept <= MOST, "{kept}");
    assert!(cached.try_resolve(&by_email(&busy)).is_some());
}

#[tokio::test]
async fn concurrent_requests_share_a_lookup() {
    let (store, clock, cached) = cached();
    let app = App::of(builder(cached.clone()).clock(clock.clone()));
    store.close();
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.send(&token_for(ADA)).await })
        })
        .collect();
    store.wait_for(1).await;
    store.open();
    for request in requests {
        let answer = request.await.unwrap();
        answer.assert_identity("crowd", "usr_ada", "ses_ada");
    }
    for _ in 0..50 {
        app.accepts(&token_for(ADA), "cached", "usr_ada", "ses_ada").await;
    }
    assert_eq!(store.lookups(), 1);
    // Cached users are validated and tokens are verified as usual.
    app.rejects(&format!("{}x", token_for(ADA)), "forged", InvalidCredential).await;
    store.memory.insert_user(User::new("usr_ada", ADA).with_ban(None));
    app.accepts(&token_for(ADA), "within five seconds", "usr_ada", "ses_ada").await;
    clock.advance(Duration::from_secs(5));
    for _ in 0..2 {
        app.rejects(&token_for(ADA), "banned", UserBanned).await;
    }
    assert_eq!(store.lookups(), 2);
    clock.advance(Duration::from_secs(5));
    store.set(Mode::Fail);
    app.rejects(&token_for(ADA), "outage", Unavailable).await;
}

#[tokio::test(start_paused = true)]
async fn hot_entry_is_refreshed_ahead() {
    let (store, clock) = (MockStore::new(), clock());
    let cached = cache(&store, &clock).refresh_ahead(Duration::from_secs(1));
    let cached = cached.build().unwrap();
    let hit = || cached.try_resolve(&by_email(ADA)).map(|found| what(Ok(found)));
    cached.resolve(by_email(ADA)).await.unwrap();
    clock.advance(Duration::from_millis(3999));
    assert!(hit().is_some());
    settle().await;
    assert_eq!(store.lookups(), 1);

    // Many hits cause one lookup, and no hit waits for it.
    clock.advance(Duration::from_millis(1));
    store.close();
    for _ in 0..10 {
        assert!(hit().is_some());
    }
    store.wait_for(2).await;
    store.open();
    settle().await;
    clock.advance(Duration::from_millis(3999));
    assert!(hit().is_some());
    settle().await;
    assert_eq!(store.lookups(), 2);

    // If the refresh fails, the entry is used until its TTL, and the lookup is not repeated.
    clock.advance(Duration::from_millis(1));
    store.set(Mode::Fail);
    assert!(hit().is_some());
    settle().await;
    assert!(hit().is_some());
    settle().await;
    assert_eq!(store.lookups(), 3);
    clock.advance(Duration::from_secs(1));
    assert!(hit().is_none());

    // If the refresh finds no session, the entry is removed.
    store.set(Mode::Work);
    cached.resolve(by_email(ADA)).await.unwrap();
    clock.advance(Duration::from_secs(4));
    store.memory.remove_session("ses_ada");
    assert!(hit().is_some());
    settle().await;
    assert_eq!(hit(), None);
}

#[test]
fn invalid_limits_are_rejected() {
    type Change = fn(CachedStoreBuilder<MemoryStore>) -> CachedStoreBuilder<MemoryStore>;
    let cases: [(&str, Change); 7] = [
        ("ttl", |builder| builder.ttl(Duration::ZERO)),
        ("ttl", |builder| builder.ttl(Duration::from_secs(301))),
        ("ttl_while_leased", |builder| builder.ttl_while_leased(Duration::ZERO)),
        ("ttl_while_leased", |builder| builder.ttl_while_leased(Duration::from_secs(301))),
        ("refresh_ahead", |builder| builder.refresh_ahead(Duration::from_secs(5))),
        ("max_entries", |builder| builder.max_entries(0)),
        ("max_entries", |builder| builder.max_entries(usize::MAX)),
    ];
    for (setting, change) in cases {
        let builder = CachedStore::builder(MemoryStore::new());
        let error = change(builder).build().unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
    }
    let most = CachedStore::builder(MemoryStore::new())
        .ttl(Duration::from_secs(300))
        .ttl_while_leased(Duration::from_secs(300))
        .max_entries(1);
    most.build().unwrap();
}

#[tokio::test]
async fn environment_enables_the_cache() {
    for (value, is_cached) in [("", false), ("off", false), ("on", true)] {
        let (_store, folder) = fixtures::sqlite();
        let file = folder.path().join("auth.sqlite");
        let url = format!("sqlite:{}", file.display());
        let variables = [
            ("DATABASE_URL", url.as_str()),
            ("BETTER_AUTH_SECRET", SECRET),
            ("BETTER_AUTH_CACHE", value),
        ];
        let layer = BetterAuthLayer::from_env(&variables.into_iter().collect()).await;
        let app = App::of(layer.unwrap().clock(clock()));
        app.accepts(&token_for(ADA), "before", "usr_ada", "ses_ada").await;
        let database = rusqlite::Connection::open(&file).unwrap();
        database.execute(r#"DELETE FROM "session""#, []).unwrap();
        let answer = app.send(&token_for(ADA)).await;
        if is_cached {
            answer.assert_identity("after", "usr_ada", "ses_ada");
        } else {
            answer.assert_rejected("after", NoActiveSession);
        }
        for wrong in ["listen", "yes"] {
            let variables = [variables[0], variables[1], ("BETTER_AUTH_CACHE", wrong)];
            let layer = BetterAuthLayer::from_env(&variables.into_iter().collect()).await;
            assert_eq!(layer.unwrap_err().setting(), "BETTER_AUTH_CACHE");
        }
    }
}

#[tokio::test]
async fn other_methods_are_delegated() {
    struct Other;
    impl UserStore for Other {
        async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
            let session = Session::new("ses", "usr", Timestamp::MAX);
            let session = session.with_token(SessionToken::new("tok-hunter2"));
            match lookup.key().kind() {
                LookupKind::SessionToken => {
                    Ok(Resolution::found(User::new("usr", "e-hunter2"), session))
                }
                _ => Err(StoreErrorKind::Unsupported.into()),
            }
        }
        fn supports(&self, kind: LookupKind) -> bool {
            kind == LookupKind::SessionToken
        }
        async fn ready(&self) -> Result<(), StoreError> {
            Err(StoreError::timeout())
        }
    }
    let builder = CachedStore::builder(Other);
    assert!(format!("{builder:?}").contains("10000"));
    let cached = builder.build().unwrap();
    assert!(cached.supports(LookupKind::SessionToken) && !cached.supports(LookupKind::Email));
    let error = cached.ready().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    let token = SessionToken::new("tok-hunter2");
    let lookup = Lookup::by_session_token(&token, now());
    cached.resolve(lookup.clone()).await.unwrap();
    assert!(cached.try_resolve(&lookup).is_some());
    let shown = format!("{cached:?} {:?}", cached.invalidator());
    assert!(
        shown.contains("entries: 1")
            && shown.contains("CacheInvalidator")
            && !shown.contains("hunter2"),
        "{shown}"
    );
}

/// Memberships are looked up each time. A service needs only one store.
#[tokio::test]
async fn members_are_not_cached() {
    let memory = Arc::new(MemoryStore::new());
    memory.insert_member(Member::new("usr_ada", "org_1").with_role("owner"));
    let cached = CachedStore::new(Arc::clone(&memory));
    let member = cached.member("usr_ada", "org_1").await.unwrap().unwrap();
    assert!(member.has_role("owner"));
    memory.remove_member("usr_ada", "org_1");
    assert!(cached.member("usr_ada", "org_1").await.unwrap().is_none());
}

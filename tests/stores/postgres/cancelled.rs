//! Cancelled lookups.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;
use support::prelude::*;

use tokio::task::JoinSet;

use super::fixtures::{ADA_FOUND, ada, ask_for_ada, backends};

const CONNECTIONS: usize = 4;

/// Polls a lookup a few times, whenever its connection is ready, and drops it.
async fn ask_and_leave(store: &PostgresStore, polls: usize) {
    let mut lookup = pin!(store.resolve(Lookup::by_email("ada@example.com", now())));
    for poll in 0..polls {
        if poll > 0 {
            tokio::task::yield_now().await;
        }
        let answer = poll_fn(|context| Poll::Ready(lookup.as_mut().poll(context))).await;
        if answer.is_ready() {
            return;
        }
    }
}

#[tokio::test]
async fn dropped_lookups_keep_the_pool() {
    let database = ada().await;
    let client = database.client().await;
    let store =
        PostgresStore::builder(database.url()).max_connections(CONNECTIONS).build().unwrap();
    // More rounds than connections: none may be lost.
    for polls in [1, 2, 3, 8, 1, 2, 3, 8] {
        for _ in 0..200 {
            ask_and_leave(&store, polls).await;
        }
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND, "after {polls} polls");
    }
    let mut lookups = JoinSet::new();
    for _ in 0..64 {
        let store = store.clone();
        lookups.spawn(async move { ask_for_ada(&store).await });
    }
    for answer in lookups.join_all().await {
        assert_eq!(answer, ADA_FOUND);
    }
    // An orphaned connection ends shortly after.
    let deadline = Instant::now() + Duration::from_secs(5);
    while backends(&client).await.len() > CONNECTIONS {
        assert!(Instant::now() < deadline, "{:?}", backends(&client).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn dropped_queries_open_nothing() {
    let database = ada().await;
    let client = database.client().await;
    let store =
        PostgresStore::builder(database.url()).max_connections(CONNECTIONS).build().unwrap();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    let before = backends(&client).await;
    for _ in 0..200 {
        ask_and_leave(&store, 1).await;
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    }
    let after = backends(&client).await;
    assert!(after.len() <= CONNECTIONS, "{after:?}");
    assert!(after.contains(&before[0]), "{before:?} are not among {after:?}");
}

/// A backend that waits for a lock does not notice that its client is gone. Without a cancel
/// request every timed-out lookup would leave a backend behind, until Better Auth gets no
/// connection.
#[tokio::test]
async fn locked_table_uses_few_backends() {
    let database = ada().await;
    let (locker, client) = (database.client().await, database.client().await);
    let store = PostgresStore::builder(database.url())
        .max_connections(CONNECTIONS)
        .query_timeout(Duration::from_millis(250))
        .build()
        .unwrap();
    found_in_the_end(&store).await;
    locker.batch_execute(r#"BEGIN; LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE"#).await.unwrap();
    for _ in 0..8 {
        let mut lookups = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let store = store.clone();
            lookups.spawn(async move {
                store.resolve(Lookup::by_email("ada@example.com", now())).await.is_err()
            });
        }
        assert!(lookups.join_all().await.into_iter().all(|failed| failed));
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while backends(&client).await.len() > CONNECTIONS {
        assert!(Instant::now() < deadline, "{:?}", backends(&client).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    locker.batch_execute("COMMIT").await.unwrap();
    found_in_the_end(&store).await;
}

/// The store's short deadline may expire before a loaded machine has opened a connection.
async fn found_in_the_end(store: &PostgresStore) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let answer = ask_for_ada(store).await;
        if answer == ADA_FOUND {
            return;
        }
        assert!(Instant::now() < deadline, "{answer}");
    }
}

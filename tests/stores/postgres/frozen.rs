//! Connections whose server process hangs.

use std::time::Instant;
use support::prelude::*;

use cluster::{ClusterOptions, OwnCluster};

use super::fixtures::{ADA, ADA_FOUND, Types, ask_for_ada, backends, error_for_ada};

const DEADLINE: Duration = Duration::from_millis(500);
const SLACK: Duration = Duration::from_millis(400);

/// Wakes the process even if the test fails. Otherwise the server could not be stopped.
struct Frozen(u32);

impl Frozen {
    fn freeze(pid: i32) -> Self {
        let pid = u32::try_from(pid).unwrap();
        OwnCluster::freeze(pid);
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        OwnCluster::thaw(self.0);
    }
}

#[tokio::test]
async fn frozen_connection_costs_a_deadline() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    let client = database.client().await;
    let store = PostgresStore::builder(database.url())
        .query_timeout(DEADLINE)
        .max_connections(1)
        .build()
        .unwrap();
    let app = App::new(store.clone());
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);

    let frozen = Frozen::freeze(backends(&client).await[0]);
    let started = Instant::now();
    let error = error_for_ada(&store).await;
    let took = started.elapsed();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert!(took >= DEADLINE && took < DEADLINE + SLACK, "{took:?}");
    // The only slot of the pool is free again.
    let started = Instant::now();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    assert!(started.elapsed() < DEADLINE);

    let pids = backends(&client).await;
    let _also = pids
        .into_iter()
        .filter(|pid| *pid != i32::try_from(frozen.0).unwrap())
        .map(Frozen::freeze)
        .collect::<Vec<_>>();
    app.rejects(&token_for("ada@example.com"), "frozen", Unavailable).await;
    app.accepts(&token_for("ada@example.com"), "on another connection", "usr_ada", "ses_ada").await;
}

#[tokio::test]
async fn frozen_server_recovers() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    let store = PostgresStore::builder(database.url()).query_timeout(DEADLINE).build().unwrap();
    let frozen = Frozen::freeze(i32::try_from(cluster.postmaster_pid()).unwrap());
    for _ in 0..2 {
        let started = Instant::now();
        assert_eq!(error_for_ada(&store).await.kind(), StoreErrorKind::Timeout);
        assert!(started.elapsed() < DEADLINE + SLACK);
    }
    drop(frozen);
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
}

#[tokio::test]
async fn orphaned_query_frees_its_slot() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    let client = database.client().await;
    let store = PostgresStore::builder(database.url())
        .query_timeout(Duration::from_secs(20))
        .max_connections(1)
        .build()
        .unwrap();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    let _frozen = Frozen::freeze(backends(&client).await[0]);
    let asker = tokio::time::timeout(Duration::from_millis(50), ask_for_ada(&store));
    asker.await.unwrap_err();
    let started = Instant::now();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    assert!(started.elapsed() < Duration::from_secs(1) + SLACK);
}

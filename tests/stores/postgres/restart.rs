//! A server that restarts under load.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use support::prelude::*;

use cluster::{ClusterOptions, Database, OwnCluster};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::fixtures::{ADA, ADA_FOUND, Types, ask_for_ada, by_email};

const WORKERS: usize = 8;

async fn server_with_ada(options: ClusterOptions) -> (OwnCluster, Database) {
    let cluster = OwnCluster::start(options).await;
    let database = cluster.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    // The rows must survive a crash, which loses unlogged buffers.
    database.execute("CHECKPOINT").await;
    (cluster, database)
}

/// Looks up with several workers during `meanwhile` and for some results more, and counts the
/// results.
async fn under_load(
    store: &PostgresStore,
    meanwhile: impl Future<Output = ()>,
) -> BTreeMap<String, u32> {
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (store, stop, asked) = (store.clone(), Arc::clone(&stop), Arc::clone(&asked));
        workers.spawn(async move {
            let mut answers = BTreeMap::<String, u32>::new();
            while !stop.load(Ordering::SeqCst) {
                for name in ["ada", "eve"] {
                    let answer = by_email(&store, &format!("{name}@example.com")).await;
                    *answers.entry(format!("{name}: {answer}")).or_default() += 1;
                }
                asked.fetch_add(1, Ordering::SeqCst);
            }
            answers
        });
    }
    let more = async |many: u32| {
        let until = asked.load(Ordering::SeqCst) + many;
        while asked.load(Ordering::SeqCst) < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    more(100).await;
    meanwhile.await;
    more(100).await;
    stop.store(true, Ordering::SeqCst);
    let mut all = BTreeMap::new();
    for answers in workers.join_all().await {
        for (answer, count) in answers {
            *all.entry(answer).or_default() += count;
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_loses_no_lookup() {
    let (cluster, database) = server_with_ada(ClusterOptions::default()).await;
    let store = PostgresStore::builder(database.url())
        .max_connections(4)
        // Longer than the restart takes on a loaded machine.
        .query_timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let answers = under_load(&store, async {
        cluster.stop_fast().await;
        cluster.start_again().await;
    })
    .await;
    let kinds: Vec<&str> = answers.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["ada: usr_ada ses_ada", "eve: no user"], "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_gives_no_wrong_result() {
    let (cluster, database) = server_with_ada(ClusterOptions::default()).await;
    let store = PostgresStore::builder(database.url())
        .max_connections(4)
        .query_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let answers = under_load(&store, async {
        cluster.stop_immediate().await;
        // Longer than one attempt to connect, so that connecting is repeated.
        tokio::time::sleep(Duration::from_millis(50)).await;
        cluster.start_again().await;
    })
    .await;
    // Ada is always found.
    for answer in answers.keys() {
        let (name, answer) = answer.split_once(": ").unwrap();
        let right = if name == "ada" { ADA_FOUND } else { "no user" };
        let is_failure = ["failed: unavailable", "failed: timeout"].contains(&answer);
        assert!(answer == right || is_failure, "{answers:?}");
    }
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
}

#[tokio::test]
async fn idle_closed_connections_are_retried() {
    let (cluster, database) = server_with_ada(ClusterOptions::default()).await;
    let store = PostgresStore::builder(database.url()).max_connections(4).build().unwrap();
    let all_at_once = async || {
        let mut lookups = JoinSet::new();
        for _ in 0..WORKERS {
            let store = store.clone();
            lookups.spawn(async move { ask_for_ada(&store).await });
        }
        assert!(lookups.join_all().await.iter().all(|answer| answer == ADA_FOUND));
    };
    all_at_once().await;
    let admin = database.client().await;
    for _ in 0..20 {
        admin
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'better-auth-layer'",
                &[],
            )
            .await
            .unwrap();
        all_at_once().await;
    }
    drop(cluster);
}

#[tokio::test]
async fn broken_query_is_retried() {
    let (cluster, database) = server_with_ada(ClusterOptions {
        extra: vec![("idle_session_timeout".to_owned(), "200ms".to_owned())],
        ..ClusterOptions::default()
    })
    .await;
    // Looks up when the server's idle timeout ends: some queries cross the close message.
    let mut askers = JoinSet::new();
    for asker in 0..40 {
        let store = PostgresStore::builder(database.url()).max_connections(1);
        let store = store.build().unwrap();
        let pause = Duration::from_micros(197_000 + asker * 100);
        askers.spawn(async move {
            for _ in 0..8 {
                assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
                tokio::time::sleep(pause).await;
            }
        });
    }
    askers.join_all().await;
    drop(cluster);
}

/// A proxy that closes the existing connections on request and sends a last message.
async fn hangs_up(server: u16) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = Arc::new(AtomicBool::new(false));
    let is_told = Arc::clone(&told);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let came_before = !is_told.load(Ordering::SeqCst);
            let is_told = Arc::clone(&is_told);
            tokio::spawn(async move {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (mut questions, mut answers) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let answering = tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut from_server, &mut answers).await;
                });
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = questions.read(&mut buffer).await {
                    if came_before && is_told.load(Ordering::SeqCst) {
                        answering.abort();
                        return;
                    }
                    if to_server.write_all(&buffer[..length]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, told)
}

#[tokio::test]
async fn siblings_of_broken_are_discarded() {
    let (cluster, database) =
        server_with_ada(ClusterOptions { tcp: true, ..ClusterOptions::default() }).await;
    let port = cluster.port().unwrap();
    let (proxy, hang_up) = hangs_up(port).await;
    let url = database.tcp_url();
    let url = url.replace(&format!(":{port}/"), &format!(":{proxy}/"));
    let store = PostgresStore::builder(&url).max_connections(4);
    let store = store.build().unwrap();
    let mut lookups = JoinSet::new();
    for _ in 0..WORKERS {
        let store = store.clone();
        lookups.spawn(async move { ask_for_ada(&store).await });
    }
    let answers = lookups.join_all().await;
    assert!(answers.iter().all(|answer| answer == ADA_FOUND));
    hang_up.store(true, Ordering::SeqCst);
    for _ in 0..WORKERS {
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    }
}

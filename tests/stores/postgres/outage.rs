//! A server that is down, full or rejects connections.

use std::net::TcpListener;
use std::time::Instant;
use support::prelude::*;

use cluster::{ClusterOptions, OwnCluster};

use super::fixtures::{
    ADA, ADA_FOUND, Types, ask_for_ada, backends, error_for_ada, everything, own_server,
};

/// Short, but long enough for a loaded machine.
const DEADLINE: Duration = Duration::from_millis(400);

/// The tolerance for scheduling.
const SLACK: Duration = Duration::from_millis(400);

fn store(url: &str, deadline: Duration) -> PostgresStore {
    let store = PostgresStore::builder(url).query_timeout(deadline);
    store.max_connections(2).build().unwrap()
}

#[tokio::test]
async fn late_server_is_used() {
    let cluster =
        OwnCluster::start(ClusterOptions { tcp: true, ..ClusterOptions::default() }).await;
    let database = cluster.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    cluster.stop_fast().await;
    for (url, reason) in [(database.url(), "No such file"), (database.tcp_url(), "refused")] {
        let started = Instant::now();
        let store = PostgresStore::builder(url).query_timeout(DEADLINE);
        let store = store.connect().await.unwrap();
        assert!(started.elapsed() < DEADLINE + SLACK, "connecting");
        let started = Instant::now();
        let error = error_for_ada(&store).await;
        assert!(started.elapsed() < DEADLINE + SLACK, "asking");
        assert_eq!(error.kind(), StoreErrorKind::Timeout);
        let text = everything(&error);
        assert!(text.contains(reason), "{reason} is not in: {text}");
        // The readiness check does not wait.
        let started = Instant::now();
        let error = store.ready().await.unwrap_err();
        assert!(started.elapsed() < DEADLINE, "probing");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let app = App::new(store);
        let answer = app.send(&token_for("ada@example.com")).await;
        answer.assert_rejected("down", Unavailable);
    }

    // The lookup starts while the server is down and completes when it is up.
    let early = store(database.url(), Duration::from_secs(20));
    let late = store(database.tcp_url(), DEADLINE);
    assert_eq!(ask_for_ada(&late).await, "failed: timeout");
    let (answer, ()) = tokio::join!(ask_for_ada(&early), cluster.start_again());
    assert_eq!(answer, ADA_FOUND);
    assert_eq!(ask_for_ada(&late).await, ADA_FOUND);
    let answer = App::new(late).send(&token_for("ada@example.com")).await;
    answer.assert_identity("up", "usr_ada", "ses_ada");
}

#[tokio::test]
async fn silent_server_hits_the_deadline() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = store(&format!("postgres://u:p@localhost:{port}/d"), DEADLINE);
    let started = Instant::now();
    assert_eq!(ask_for_ada(&store).await, "failed: timeout");
    let took = started.elapsed();
    assert!(took >= DEADLINE && took < DEADLINE + SLACK, "{took:?}");
}

#[tokio::test]
async fn hanging_connect_is_repeated() {
    let server = own_server().await;
    let database = server.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    // The first connection hangs, the others reach the server.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = server.port().unwrap();
    let url = database.tcp_url().replace(
        &format!("localhost:{port}"),
        &format!("localhost:{}", listener.local_addr().unwrap().port()),
    );
    tokio::spawn(async move {
        let _silent = listener.accept().await.unwrap();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let address = ("127.0.0.1", port);
                let mut server = tokio::net::TcpStream::connect(address).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let deadline = Duration::from_millis(1500);
    assert_eq!(ask_for_ada(&store(&url, deadline)).await, ADA_FOUND);
}

#[tokio::test]
async fn permanent_errors_return_at_once() {
    let server = own_server().await;
    let database = server.create_database().await;
    let url = database.tcp_url();
    for (url, reason) in [
        (url.replace("throw-away", "mistaken"), "password authentication failed"),
        (
            url.replace("postgres:throw-away", "stranger:throw-away"),
            "password authentication failed",
        ),
        (format!("{url}_not"), "does not exist"),
        (url.replace(":throw-away", ""), "password missing"),
    ] {
        let started = Instant::now();
        let error = error_for_ada(&store(&url, Duration::from_secs(10))).await;
        assert!(started.elapsed() < Duration::from_secs(3));
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let text = everything(&error);
        assert!(text.contains(reason), "{reason} is not in: {text}");
    }
}

#[tokio::test]
async fn full_server_is_retried() {
    let cluster = OwnCluster::start(ClusterOptions {
        extra: vec![("superuser_reserved_connections".to_owned(), "0".to_owned())],
        max_connections: 4,
        ..ClusterOptions::default()
    })
    .await;
    let database = cluster.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    let mut others = Vec::new();
    // The connections of the setup close with a delay. Their slots are used as well.
    let mut refusals = 0;
    while refusals < 5 {
        match tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                refusals = 0;
                tokio::spawn(connection);
                others.push(client);
            }
            Err(_) => {
                refusals += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    let hurried = store(database.url(), DEADLINE);
    let started = Instant::now();
    let error = error_for_ada(&hurried).await;
    assert!(started.elapsed() < DEADLINE + SLACK);
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    let text = everything(&error);
    assert!(text.contains("too many clients"), "{text}");

    let patient = store(database.url(), Duration::from_secs(10));
    let make_room = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        others.pop();
    };
    let (answer, ()) = tokio::join!(ask_for_ada(&patient), make_room);
    assert_eq!(answer, ADA_FOUND);
    assert_eq!(backends(others.last().unwrap()).await.len(), 1);
}

//! A listener on a real PostgreSQL.

use std::time::Instant;
use support::prelude::*;

use cluster::{ClusterOptions, Database, OwnCluster, cluster};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::triggers::{listener, make_triggers, tables};

fn by_email(address: &str) -> Lookup<'_> {
    Lookup::by_email(address, now())
}

fn is_hit(cached: &CachedStore<PostgresStore>) -> bool {
    cached.try_resolve(&by_email("ada@example.com")).is_some()
}

async fn ask(cached: &CachedStore<PostgresStore>) -> String {
    match cached.resolve(by_email("ada@example.com")).await {
        Ok(Resolution::Found { session, .. }) => session.id().to_owned(),
        Ok(other) => format!("{other:?}"),
        Err(error) => with_causes(&error),
    }
}

/// Looks up until the result is cached.
async fn fill(cached: &CachedStore<PostgresStore>) {
    until("the answer is kept", async || {
        ask(cached).await;
        is_hit(cached)
    })
    .await;
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_secs(20), "not within 20 seconds: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    started.elapsed()
}

async fn cached(database: &Database) -> CachedStore<PostgresStore> {
    CachedStore::new(PostgresStore::connect(database.url()).await.unwrap())
}

#[tokio::test]
async fn change_evicts_a_fresh_entry() {
    let database = tables().await;
    make_triggers(&database, Schema::auto()).await;
    let cached = cached(&database).await;
    listener(&database).build().unwrap().listen(&cached.invalidator());
    assert!(!is_hit(&cached));
    let client = database.client().await;
    for (statement, answer) in [
        (r#"DELETE FROM "session" WHERE "id" = 'ses_ada'"#, "ses_two"),
        (r#"UPDATE "user" SET "banned" = true WHERE "id" = 'usr_ada'"#, "ses_two"),
        (
            r#"UPDATE "session" SET "expiresAt" = to_timestamp(0) WHERE "id" = 'ses_two'"#,
            "NoActiveSession",
        ),
    ] {
        fill(&cached).await;
        client.batch_execute(statement).await.unwrap();
        until(statement, async || !is_hit(&cached)).await;
        assert_eq!(ask(&cached).await, answer, "{statement}");
    }
    // A change that revokes nothing evicts nothing.
    client.batch_execute(r#"UPDATE "session" SET "expiresAt" = to_timestamp(4e9)"#).await.unwrap();
    fill(&cached).await;
    client
        .batch_execute(
            r#"UPDATE "session" SET "updatedAt" = now(), "expiresAt" = to_timestamp(5e9)"#,
        )
        .await
        .unwrap();
    for _ in 0..100 {
        assert!(is_hit(&cached));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The connection is cut, a session ends, and the listener reconnects: the cache has no stale
/// entry.
#[tokio::test]
async fn lost_listener_clears_the_cache() {
    let database = tables().await;
    make_triggers(&database, Schema::auto()).await;
    let cached = cached(&database).await;
    listener(&database).build().unwrap().listen(&cached.invalidator());
    let admin = database.client().await;
    // A database cannot block connections to itself.
    let outside = cluster().await.create_database().await.client().await;
    let let_in = async |who: bool| {
        let name = database.name();
        let statement = format!(r#"ALTER DATABASE "{name}" ALLOW_CONNECTIONS {who}"#);
        outside.batch_execute(&statement).await.unwrap();
    };
    for (gone, answer) in [("ses_ada", "ses_two"), ("ses_two", "NoActiveSession")] {
        fill(&cached).await;
        let_in(false).await;
        admin.batch_execute(END_LISTENERS).await.unwrap();
        until("the loss is noticed", async || !is_hit(&cached)).await;
        let statement = format!(r#"DELETE FROM "session" WHERE "id" = '{gone}'"#);
        admin.batch_execute(&statement).await.unwrap();
        assert!(!is_hit(&cached));
        let_in(true).await;
        until("the change is seen", async || ask(&cached).await == answer).await;
        assert_eq!(ask(&cached).await, answer);
    }
    admin
        .batch_execute(
            r#"INSERT INTO "session" ("id", "userId", "token", "expiresAt")
            VALUES ('ses_new', 'usr_ada', 'tok_new', to_timestamp(4e9))"#,
        )
        .await
        .unwrap();
    fill(&cached).await;
    assert_eq!(ask(&cached).await, "ses_new");
}

/// A proxy that stops forwarding without closing connections.
async fn proxy(server: u16) -> (u16, watch::Sender<bool>) {
    let (stall, stalled) = watch::channel(false);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(pass(from_client, to_server, stalled.clone()));
            tokio::spawn(pass(from_server, to_client, stalled.clone()));
        }
    });
    (port, stall)
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut stalled: watch::Receiver<bool>,
) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if stalled.wait_for(|stalled| !stalled).await.is_err()
            || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}

#[tokio::test]
async fn silent_connection_ends_the_lease() {
    let cluster =
        OwnCluster::start(ClusterOptions { tcp: true, ..ClusterOptions::default() }).await;
    let database = cluster.create_database().await;
    database.execute(support::fixtures::POSTGRES_TABLES).await;
    database.execute(super::triggers::ROWS).await;
    make_triggers(&database, Schema::auto()).await;
    let port = cluster.port().unwrap();
    let (through, stall) = proxy(port).await;
    let url = database.tcp_url().replace(&format!(":{port}/"), &format!(":{through}/"));
    let cached = cached(&database).await;
    let heartbeat = Duration::from_millis(200);
    PostgresListener::builder(&url)
        .query_url(database.url())
        .heartbeat(heartbeat)
        .build()
        .unwrap()
        .listen(&cached.invalidator());
    fill(&cached).await;
    stall.send_replace(true);
    let stalled = Instant::now();
    database.execute(r#"DELETE FROM "session" WHERE "id" = 'ses_ada'"#).await;
    until("the loss is noticed", async || !is_hit(&cached)).await;
    let took = stalled.elapsed();
    assert!(took < 3 * heartbeat + Duration::from_millis(500), "{took:?}");
    assert_eq!(ask(&cached).await, "ses_two");
    assert!(!is_hit(&cached));
    stall.send_replace(false);
    fill(&cached).await;
    assert_eq!(ask(&cached).await, "ses_two");
}

/// The listener reports the reason until the missing object exists.
#[tokio::test]
async fn missing_triggers_are_an_error() {
    let (log, _guard) = CapturedLog::start();
    let database = tables().await;
    let cached = cached(&database).await;
    listener(&database).build().unwrap().listen(&cached.invalidator());
    let is_asked_for = async |log: &CapturedLog| {
        until("the log says so", async || log.text().contains("PostgresListener::trigger_sql"))
            .await;
        log.take();
        ask(&cached).await;
        assert!(!is_hit(&cached));
    };
    is_asked_for(&log).await;
    make_triggers(&database, Schema::auto()).await;
    fill(&cached).await;
    // A disabled trigger, and a trigger for other columns. Both are detected when the listener
    // reconnects.
    for change in [
        r#"ALTER TABLE "session" DISABLE TRIGGER better_auth_layer_deleted"#,
        r#"ALTER TABLE "session" ENABLE TRIGGER better_auth_layer_deleted;
        ALTER TABLE "user" RENAME COLUMN "banned" TO "blocked""#,
    ] {
        database.execute(change).await;
        log.take();
        database.execute(END_LISTENERS).await;
        is_asked_for(&log).await;
    }
    make_triggers(&database, Schema::auto()).await;
    fill(&cached).await;
}

const END_LISTENERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
    AND application_name = 'better-auth-layer listener'";

/// Notifications of another database, as behind a pooler, do not arrive.
#[tokio::test]
async fn undelivered_events_are_detected() {
    let (log, _guard) = CapturedLog::start();
    let (asked, listened) = (tables().await, tables().await);
    for database in [&asked, &listened] {
        make_triggers(database, Schema::auto()).await;
    }
    let cached = cached(&asked).await;
    PostgresListener::builder(listened.url())
        .query_url(asked.url())
        .build()
        .unwrap()
        .listen(&cached.invalidator());
    until("the log says so", async || log.text().contains("do not arrive at DATABASE_DIRECT_URL"))
        .await;
    ask(&cached).await;
    assert!(!is_hit(&cached));
}

#[tokio::test]
async fn listener_ends_with_the_cache() {
    let database = tables().await;
    make_triggers(&database, Schema::auto()).await;
    let client = database.client().await;
    let listeners = async || {
        let rows = client.query(LISTENERS, &[]).await;
        rows.unwrap().len()
    };
    let cached = cached(&database).await;
    listener(&database).build().unwrap().listen(&cached.invalidator());
    fill(&cached).await;
    assert_eq!(listeners().await, 1);
    let handle: CacheInvalidator = cached.invalidator();
    drop(cached);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(listeners().await, 1, "still needed");
    drop(handle);
    until("the listener leaves", async || listeners().await == 0).await;
}

#[tokio::test]
async fn invalid_options_are_rejected() {
    let url = "postgres://app:hunter2@db.example.com/app";
    for heartbeat in [Duration::from_millis(9), Duration::from_secs(61)] {
        let builder = PostgresListener::builder(url).heartbeat(heartbeat);
        assert_eq!(builder.build().unwrap_err().setting(), "heartbeat");
    }
    let error = PostgresListener::builder("hunter2").query_url(url).build().unwrap_err();
    assert_eq!(error.setting(), "DATABASE_DIRECT_URL");
    let error = PostgresListener::builder(url).query_url("hunter2").build().unwrap_err();
    assert_eq!(error.setting(), "DATABASE_URL");
    assert!(!error.to_string().contains("hunter2"));
    let builder = PostgresListener::builder(url).query_url(url);
    let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("db.example.com"), "{shown}");
}

#[tokio::test]
async fn environment_starts_a_listener() {
    let database = tables().await;
    make_triggers(&database, Schema::auto()).await;
    let variables = [
        ("DATABASE_URL", database.url()),
        ("DATABASE_DIRECT_URL", database.url()),
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_CACHE", "listen"),
    ];
    let layer = BetterAuthLayer::from_env(&variables.into_iter().collect()).await;
    let app = App::of(layer.unwrap().clock(clock()));
    let client = database.client().await;
    until("somebody listens", async || {
        let rows = client.query(LISTENERS, &[]).await;
        rows.unwrap().len() == 1
    })
    .await;
    app.accepts(&token_for("ada@example.com"), "before", "usr_ada", "ses_ada").await;
    client.batch_execute(r#"DELETE FROM "session" WHERE "id" = 'ses_ada'"#).await.unwrap();
    until("the change is seen", async || {
        let answer = app.send(&token_for("ada@example.com")).await;
        answer.body == "usr_ada ses_two"
    })
    .await;
    let mut wrong = variables;
    wrong[1].1 = "nonsense";
    let layer = BetterAuthLayer::from_env(&wrong.into_iter().collect()).await;
    assert_eq!(layer.unwrap_err().setting(), "DATABASE_DIRECT_URL");
}

const LISTENERS: &str = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
    AND application_name = 'better-auth-layer listener'";

/// Without a runtime there is no listener and no cache.
#[test]
fn no_runtime_means_no_cache() {
    let store = Arc::new(support::fixtures::memory());
    let cached = CachedStore::new(store);
    let listener = PostgresListener::builder("postgres://localhost/app").build().unwrap();
    listener.listen(&cached.invalidator());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        cached.resolve(by_email("ada@example.com")).await.unwrap();
        assert!(cached.try_resolve(&by_email("ada@example.com")).is_none());
    });
}

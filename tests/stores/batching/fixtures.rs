//! A server with a statement log, and lookups that are held back.

use std::time::Instant;
use support::prelude::*;

use cluster::{ClusterOptions, Database, OwnCluster};
use tokio::task::JoinSet;
use tokio_postgres::Client;

/// A server that logs every statement.
pub(crate) async fn talkative_server() -> OwnCluster {
    OwnCluster::start(ClusterOptions {
        extra: vec![("log_statement".to_owned(), "all".to_owned())],
        ..ClusterOptions::default()
    })
    .await
}

/// The usual tables with ids of this type.
pub(crate) fn tables(id: &str) -> String {
    format!(
        r#"CREATE TABLE "user" ("id" {id} NOT NULL PRIMARY KEY, "name" text NOT NULL DEFAULT 'somebody', "email" text NOT NULL,
            "banned" boolean);
        CREATE TABLE "session" ("id" {id} NOT NULL PRIMARY KEY, "expiresAt" timestamptz NOT NULL,
            "token" text NOT NULL, "userId" {id} NOT NULL, "impersonatedBy" text);
        CREATE TABLE "apikey" ("id" text NOT NULL, "key" text NOT NULL, "referenceId" text NOT NULL, "enabled" boolean,
            "expiresAt" timestamptz, "remaining" integer);"#
    )
}

/// `usr_0` to `usr_99` with a session and an API key each.
pub(crate) async fn hundred_users(server: &OwnCluster) -> Database {
    let database = server.create_database().await;
    database.execute(&tables("text")).await;
    database
        .execute(&format!(
            r#"INSERT INTO "user" ("id", "email") SELECT 'usr_' || n, 'user' || n || '@example.com'
                FROM generate_series(0, 99) n;
            INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                SELECT 'ses_' || n, 'usr_' || n, 'tok_' || n, to_timestamp({ends}) FROM generate_series(0, 99) n;
            INSERT INTO "apikey" ("id", "key", "referenceId", "enabled")
                SELECT 'key_' || n, 'hash_' || n, 'usr_' || n, true FROM generate_series(0, 99) n;"#,
            ends = NOW + 60,
        ))
        .await;
    database
}

pub(crate) fn store(database: &Database) -> PostgresStoreBuilder {
    // Longer than anything here takes on a loaded machine.
    PostgresStore::builder(database.url()).query_timeout(Duration::from_secs(60))
}

/// The ids of the user and of the session or key, or the reason for their absence.
pub(crate) fn in_words(answer: &Result<Resolution, StoreError>) -> String {
    match answer {
        Ok(Resolution::Found { user, session, .. }) => format!("{} {}", user.id(), session.id()),
        Ok(Resolution::FoundApiKey { user, api_key, .. }) => {
            format!("{} {}", user.id(), api_key.id())
        }
        Ok(Resolution::UserNotFound) => "no user".to_owned(),
        Ok(Resolution::NoActiveSession) => "no session".to_owned(),
        Ok(Resolution::ApiKeyNotFound) => "no key".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("failed: {}", with_causes(&error)),
    }
}

pub(crate) async fn ask(store: &impl UserStore, lookup: Lookup<'_>) -> String {
    in_words(&store.resolve(lookup).await)
}

/// Numbered lookups in flight.
pub(crate) type Crowd = JoinSet<(usize, String)>;

pub(crate) fn begin(store: &PostgresStore, lookups: Vec<Lookup<'static>>) -> Crowd {
    let mut crowd = JoinSet::new();
    for (number, lookup) in lookups.into_iter().enumerate() {
        let store = store.clone();
        crowd.spawn(async move { (number, ask(&store, lookup).await) });
    }
    crowd
}

/// The results in the order of the lookups.
pub(crate) async fn answers(crowd: Crowd) -> Vec<String> {
    let mut answers = crowd.join_all().await;
    answers.sort();
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// A table lock that blocks every lookup.
pub(crate) struct Lock(Client);

impl Lock {
    pub(crate) async fn on(database: &Database) -> Self {
        Self::on_table(database, "user").await
    }

    pub(crate) async fn on_table(database: &Database, table: &str) -> Self {
        let lock = Self::of(database.client().await);
        lock.execute(&format!("BEGIN; LOCK TABLE \"{table}\" IN ACCESS EXCLUSIVE MODE")).await;
        lock
    }

    /// The locks of a client.
    pub(crate) fn of(client: Client) -> Self {
        Self(client)
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.0.batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn release(self) {
        self.0.batch_execute("COMMIT").await.unwrap();
    }

    /// Waits until this number of server processes wait for the lock, and returns them.
    pub(crate) async fn waiting(&self, processes: usize) -> Vec<i32> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let rows = self.0.query("SELECT pid FROM pg_locks WHERE NOT granted", &[]);
            let rows = rows.await.unwrap();
            if rows.len() >= processes {
                return rows.iter().map(|row| row.get(0)).collect();
            }
            assert!(Instant::now() < deadline, "{} wait", rows.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn terminate(&self, process: i32) {
        let statement = "SELECT pg_terminate_backend($1)";
        self.0.query(statement, &[&process]).await.unwrap();
    }
}

/// Lets the tasks of a single-threaded runtime run until they wait for the server.
pub(crate) async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// The number of statements by kind.
pub(crate) struct Questions {
    pub(crate) alone: usize,
    pub(crate) together: usize,
    pub(crate) prepared: usize,
}

/// Counts the statements in the server's log from an offset on.
pub(crate) fn questions(server: &OwnCluster, from: usize) -> Questions {
    let log = server.log();
    let mut found = Questions { alone: 0, together: 0, prepared: 0 };
    for line in log[from..].lines() {
        let Some((_, rest)) = line.split_once("execute ") else {
            continue;
        };
        if !rest.contains("AS u0") || rest.contains("LIMIT 0") {
            continue;
        }
        if rest.contains("WITH ORDINALITY") {
            found.together += 1;
        } else {
            found.alone += 1;
        }
        if !rest.starts_with("<unnamed>") {
            found.prepared += 1;
        }
    }
    found
}

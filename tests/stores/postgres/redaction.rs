//! No secret in errors and logs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use support::prelude::*;

use cluster::{CertificateAuthority, ClusterOptions, Database, OwnCluster};

use super::fixtures::{Types, everything};

const ADDRESS: &str = "marker.address@example.com";
const TOKEN: &str = "marker-token";
const PASSWORD: &str = "marker-password";
const HOST: &str = "marker-host.invalid";

/// The records of the `log` crate, for the whole process, including other tests.
struct Records;

static RECORDS: Mutex<String> = Mutex::new(String::new());

impl log::Log for Records {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = format!("{} {}\n", record.target(), record.args());
        records().push_str(&text);
    }

    fn flush(&self) {}
}

fn records() -> MutexGuard<'static, String> {
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in [ADDRESS, "marker", TOKEN, PASSWORD, HOST, "localhost", "throw-away"] {
        assert!(!text.contains(secret), "{what}: {secret} is seen in: {text}");
    }
}

/// Runs all kinds of lookups, also through the layer. The errors must be clean, and there must be
/// at least one.
async fn ask_everything(what: &str, store: PostgresStore) {
    let token = SessionToken::new(TOKEN);
    let lookups = [
        Lookup::by_email(ADDRESS, now()),
        Lookup::by_email(ADDRESS, now()).with_session_id("marker-session"),
        Lookup::by_user_id("marker-user", now()),
        Lookup::by_user_id("marker\0", now()),
        Lookup::by_session_token(&token, now()),
    ];
    let mut errors: Vec<StoreError> = Vec::new();
    for lookup in lookups {
        assert_clean(what, &format!("{lookup:?}"));
        match store.resolve(lookup).await {
            Ok(resolution) => assert_clean(what, &format!("{resolution:?}")),
            Err(error) => errors.push(error),
        }
    }
    errors.extend(store.ready().await.err());
    assert!(!errors.is_empty(), "{what} did not fail");
    for error in &errors {
        assert_clean(what, &everything(error));
    }
    assert_clean(what, &format!("{store:?}"));
    App::new(store).send(&token_for(ADDRESS)).await;
}

async fn empty(cluster: &OwnCluster) -> Database {
    cluster.create_database().await
}

async fn with_tables(cluster: &OwnCluster, and: &str) -> Database {
    let database = empty(cluster).await;
    database.execute(&Types::USUAL.ddl()).await;
    let rows = format!(
        r#"INSERT INTO "user" ("id", "email") VALUES ('usr', '{ADDRESS}');
        INSERT INTO "session" ("id", "userId", "token", "expiresAt") VALUES ('s', 'usr', '{TOKEN}', 'infinity'); {and}"#
    );
    // The driver logs the statements of the test, which must not contain a marker.
    database.execute(&rows.replace("'marker", "'mark' || 'er")).await;
    database
}

#[tokio::test]
async fn errors_and_logs_hold_no_secret() {
    log::set_logger(&Records).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    // The subscriber is global. Events of other tests must be clean as well.
    let log = CapturedLog::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let subscriber = subscriber.with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let authority = CertificateAuthority::new();
    let folder = TemporaryFolder::new();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let cluster = OwnCluster::start(ClusterOptions {
        tls: Some(authority.issue(&["marker-host.example.com"])),
        ..ClusterOptions::default()
    })
    .await;
    let store = |url: &str| {
        let builder = PostgresStore::builder(url).query_timeout(Duration::from_millis(300));
        let builder = builder.max_connections(2);
        assert_clean("builder", &format!("{builder:?}"));
        builder.build().unwrap()
    };
    let database = empty(&cluster).await;
    let tcp = database.tcp_url();

    let at = |host: &str| format!("postgres://marker-user:{PASSWORD}@{host}/d");
    for (what, url) in [
        ("no such host", at(HOST)),
        ("nobody listens", at("localhost:1")),
        ("no such socket", at("%2Fmarker%2Fsocket")),
        ("wrong password", tcp.replace("throw-away", PASSWORD)),
        (
            "no TLS",
            format!(
                "postgres://u:{PASSWORD}@localhost:{}/d?sslmode=require",
                cluster.port().unwrap()
            ),
        ),
        ("wrong name", format!("{tcp}?sslmode=require&sslrootcert={}", ca.display())),
        ("no tables", tcp.to_owned()),
    ] {
        ask_everything(what, store(&url)).await;
    }

    for (what, failure) in [
        ("a message of its own", "RAISE EXCEPTION 'no good: %', $1;"),
        ("a conversion", "PERFORM $1::integer; RETURN $1;"),
        ("an integrity error", "RAISE integrity_constraint_violation USING MESSAGE = $1;"),
        ("a syntax error", "RAISE syntax_error USING MESSAGE = 'near ' || $1;"),
        ("an internal error", "RAISE internal_error USING MESSAGE = $1, DETAIL = $1, HINT = $1;"),
    ] {
        // All columns are computed by the failing function.
        let view = format!(
            r#"CREATE FUNCTION fail(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN {failure} END $$;
            ALTER TABLE "user" RENAME TO "hidden";
            CREATE VIEW "user" AS SELECT "id", "email", fail("email") AS "name" FROM "hidden";"#
        );
        let database = with_tables(&cluster, &view).await;
        ask_everything(what, store(database.tcp_url())).await;
    }

    let database = with_tables(&cluster, r#"CREATE TABLE users AS SELECT * FROM "user""#).await;
    let error = PostgresStore::connect(database.tcp_url()).await.unwrap_err();
    assert_clean("a choice", &format!("{error} {error:?}"));

    let seen = log.text();
    assert!(seen.contains("user store failed"), "{seen}");
    assert_clean("events", &seen);
    let seen = records();
    assert!(seen.contains("tokio_postgres"), "{seen}");
    assert_clean("records", &seen);
}

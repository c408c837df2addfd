//! A healthy PostgreSQL database, and databases with problems.

use cluster::{ClusterOptions, Database, OwnCluster, PoolMode, Pooler, cluster};
use support::fixtures::POSTGRES_TABLES;
use support::prelude::*;

use super::{assert_finding, assert_right, check};

async fn tables() -> Database {
    let database = cluster().await.create_database().await;
    database.execute(POSTGRES_TABLES).await;
    database
}

fn builder(store: PostgresStore) -> BetterAuthLayerBuilder {
    better_auth_layer::BetterAuthLayer::builder()
        .secret(Secret::new(SECRET).unwrap())
        .issuer("https://app.example.com")
        .api_keys(ApiKeys::new())
        .store(store)
}

fn store(url: &str) -> PostgresStore {
    PostgresStore::builder(url).build().unwrap()
}

#[tokio::test]
async fn healthy_database_is_described() {
    let database = tables().await;
    let diagnosis = check(builder(store(database.url()))).await;
    assert_right(&diagnosis);
    for (what, part) in [
        ("database", "PostgreSQL "),
        ("connection", "does not leave this machine"),
        ("statements", "the connection is direct"),
        ("tables", r#""user" with "session" ("expiresAt")"#),
        ("lookups", "by email, by session token, by API key succeed"),
        ("clock", "agrees with the store's"),
    ] {
        assert_finding(&diagnosis, what, CheckStatus::Ok, part);
    }
}

#[tokio::test]
async fn table_problems_are_named() {
    for (change, what, part) in [
        (r#"DROP TABLE "session""#, "tables", r#"table "session""#),
        (
            r#"ALTER TABLE "session" DROP "expiresAt""#,
            "tables",
            r#"column "expiresAt" of "session""#,
        ),
        (
            r#"ALTER TABLE "session" ALTER "expiresAt" TYPE text USING 'soon'"#,
            "tables",
            r#"column "expiresAt" does not contain times"#,
        ),
        (r#"ALTER TABLE "user" RENAME "email" TO "mail""#, "tables", r#"column "email" of "user""#),
        (r#"DROP TABLE "apikey""#, "lookups by API key", "apikey"),
        (
            r#"ALTER TABLE "session" DROP "token""#,
            "lookups by session token",
            "does not support this lookup",
        ),
    ] {
        let database = tables().await;
        database.execute(change).await;
        let diagnosis = check(builder(store(database.url()))).await;
        assert_finding(&diagnosis, what, CheckStatus::Failed, part);
        assert_finding(&diagnosis, "database", CheckStatus::Ok, "PostgreSQL");
    }
}

#[tokio::test]
async fn missing_rights_are_named() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    database.execute(POSTGRES_TABLES).await;
    database
        .execute(r#"CREATE ROLE reader LOGIN; GRANT SELECT ON "user", "apikey" TO reader"#)
        .await;
    let url = database.url().replacen("//postgres@", "//reader@", 1);
    let diagnosis = check(builder(store(&url))).await;
    assert_finding(
        &diagnosis,
        "tables",
        CheckStatus::Failed,
        r#"may not read column "id" of "session""#,
    );
    database.execute(r#"GRANT SELECT ON "session" TO reader"#).await;
    assert_right(&check(builder(store(&url))).await);

    // A server that does not exist, and a wrong password.
    let wrong = database.url().replacen("//postgres@", "//hunter2:hunter3@", 1);
    let diagnosis = check(builder(store(&wrong))).await;
    assert_finding(&diagnosis, "database", CheckStatus::Failed, "DATABASE_URL");
    assert!(!diagnosis.to_string().contains("hunter3"), "{diagnosis}");
    cluster.stop_fast().await;
    let gone = PostgresStore::builder(database.url()).query_timeout(Duration::from_millis(200));
    let diagnosis = check(builder(gone.build().unwrap())).await;
    assert_finding(&diagnosis, "database", CheckStatus::Failed, "did not answer in time: ");
    assert_eq!(diagnosis.checks().len(), 3, "{diagnosis}");
}

#[tokio::test]
async fn closed_connections_are_no_failure() {
    let database = tables().await;
    let store = store(database.url());
    let layer = builder(store).build().unwrap();
    let admin = cluster().await.create_database().await.client().await;
    for _ in 0..3 {
        assert_right(&layer.authenticator().diagnose().await);
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        admin.query(end, &[&database.name()]).await.unwrap();
    }
}

#[tokio::test]
async fn server_clock_is_compared() {
    let database = tables().await;
    let now = SystemClock.now().as_unix_seconds();
    for (seconds, part) in [
        (now + 3600, "s ahead of the store's"),
        (now - 3600, "s behind the store's"),
        (Timestamp::UNIX_EPOCH.as_unix_seconds(), "s behind the store's"),
    ] {
        let clock = TestClock::at(at(seconds));
        let diagnosis = check(builder(store(database.url())).clock(clock)).await;
        assert_finding(&diagnosis, "clock", CheckStatus::Failed, part);
    }
}

#[tokio::test]
async fn pooler_is_reported() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    database.execute(POSTGRES_TABLES).await;
    let pooler = Pooler::start(&cluster, PoolMode::Transaction, 4).await;
    let (direct, pooled) = (database.url().to_owned(), pooler.url(&database));
    for (url, statements, verdict, part) in [
        (&direct, StatementMode::Auto, CheckStatus::Ok, "are prepared: "),
        (
            &pooled,
            StatementMode::Auto,
            CheckStatus::Ok,
            "are not prepared: the connection goes through a pooler",
        ),
        (&direct, StatementMode::Unprepared, CheckStatus::Ok, "are not prepared, as configured"),
        (&direct, StatementMode::Prepared, CheckStatus::Ok, "are prepared, as configured"),
        (&pooled, StatementMode::Prepared, CheckStatus::Warning, "may go through a pooler"),
    ] {
        let store = PostgresStore::builder(url).statement_mode(statements);
        let diagnosis = check(builder(store.build().unwrap())).await;
        assert_finding(&diagnosis, "statements", verdict, part);
        assert!(diagnosis.is_healthy(), "{diagnosis}");
    }

    // PgBouncer accepts LISTEN and delivers nothing.
    let listener = |url: &str| PostgresListener::builder(url).query_url(&pooled);
    let heard = async |url: &str| listener(url).build().unwrap().diagnose().await;
    let finding = heard(&direct).await;
    assert_eq!(finding.status(), CheckStatus::Failed);
    assert!(finding.message().contains("the triggers are missing"), "{finding}");
    let triggers = listener(&direct).schema(Schema::auto()).build().unwrap();
    database.execute(&triggers.trigger_sql().await.unwrap()).await;
    let finding = heard(&direct).await;
    assert_eq!(finding.status(), CheckStatus::Ok, "{finding}");
    let finding = heard(&pooled).await;
    assert_eq!(finding.status(), CheckStatus::Failed);
    assert!(
        finding.to_string().contains("do not arrive at DATABASE_DIRECT_URL; the latter must connect to the same database without a pooler"),
        "{finding}"
    );
    cluster.stop_fast().await;
    let finding = heard(&direct).await;
    assert_eq!(finding.status(), CheckStatus::Failed);
    assert!(finding.remedy().unwrap().contains("DATABASE_DIRECT_URL"), "{finding}");
}

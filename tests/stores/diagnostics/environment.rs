//! A deployment that is configured by the environment.

use cluster::{Database, cluster};
use support::fixtures::POSTGRES_TABLES;
use support::prelude::*;

use super::{about, assert_finding, assert_right};

async fn tables() -> Database {
    let database = cluster().await.create_database().await;
    database.execute(POSTGRES_TABLES).await;
    database
}

async fn check(variables: &[(&str, &str)]) -> HealthReport {
    let environment: Env = variables.iter().copied().collect();
    BetterAuthLayer::diagnose_env(&environment).await
}

#[tokio::test]
async fn invalid_settings_are_one_check() {
    let secret = ("BETTER_AUTH_SECRET", SECRET);
    let database = ("DATABASE_URL", "postgres://app:hunter2@127.0.0.1/app");
    for (variables, what, part) in [
        (vec![], "DATABASE_URL", "is not set"),
        (vec![secret], "DATABASE_URL", "is not set"),
        (vec![database], "BETTER_AUTH_SECRET", "is not set"),
        (vec![database, ("BETTER_AUTH_SECRET", "hunter2")], "BETTER_AUTH_SECRET", "has 7 bytes"),
        (
            vec![database, ("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890")],
            "BETTER_AUTH_SECRET",
            "public default",
        ),
        (vec![secret, ("DATABASE_URL", "hunter2")], "DATABASE_URL", "is not a URL"),
        (vec![secret, ("DATABASE_URL", "sqlite:missing.sqlite")], "DATABASE_URL", "does not exist"),
        (
            vec![secret, database, ("BETTER_AUTH_URL", "http://app.example.com")],
            "BETTER_AUTH_URL",
            "is not `https`",
        ),
        (
            vec![secret, database, ("BETTER_AUTH_CACHE", "maybe")],
            "BETTER_AUTH_CACHE",
            "is not `off`",
        ),
    ] {
        let diagnosis = check(&variables).await;
        assert_finding(&diagnosis, what, CheckStatus::Failed, part);
        assert_eq!(diagnosis.checks().len(), 1, "{diagnosis}");
        let text = diagnosis.to_string();
        assert!(!text.contains("hunter2") && !text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn whole_deployment_is_checked() {
    let database = tables().await;
    let server = KeyServer::start(Reply::Body(jwks([&Signer::ed25519("first")]))).await;
    let (origin, issuer) = (server.origin(), "https://app.example.com");
    let variables = [
        ("DATABASE_URL", database.url()),
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_URL", &origin),
        ("BETTER_AUTH_ISSUER", issuer),
        ("BETTER_AUTH_CACHE", "listen"),
    ];
    let diagnosis = check(&variables).await;
    assert_finding(&diagnosis, "listener", CheckStatus::Failed, "trigger_sql");
    let listener = PostgresListener::builder(database.url()).build().unwrap();
    database.execute(&listener.trigger_sql().await.unwrap()).await;
    let diagnosis = check(&variables).await;
    assert_right(&diagnosis);
    for what in ["secret", "issuer", "database", "tables", "lookups", "public keys", "listener"] {
        assert_eq!(about(&diagnosis, what).len(), 1, "{what} in\n{diagnosis}");
    }
    // No listener is left.
    let client = database.client().await;
    let listeners = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%listener'";
    while !client.query(listeners, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }

    let diagnosis = check(&[
        ("DATABASE_URL", database.url()),
        ("BETTER_AUTH_SECRET", "sixteen-bytes-xy"),
        ("BETTER_AUTH_CACHE", "on"),
    ])
    .await;
    assert!(diagnosis.is_healthy(), "{diagnosis}");
    assert_finding(&diagnosis, "secret", CheckStatus::Warning, "fewer than 32 bytes");
}

#[tokio::test]
async fn listening_requires_postgres() {
    let folder = support::temporary_folder::TemporaryFolder::new();
    let file = folder.path().join("auth.sqlite");
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch(
            r#"CREATE TABLE "user" ("id" text, "email" text);
            CREATE TABLE "session" ("id" text, "expiresAt" date, "token" text, "userId" text)"#,
        )
        .unwrap();
    let url = format!("sqlite:{}", file.display());
    let mut variables = vec![
        ("DATABASE_URL", url.as_str()),
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_ISSUER", "app"),
    ];
    assert_right(&check(&variables).await);
    variables.push(("BETTER_AUTH_CACHE", "listen"));
    let diagnosis = check(&variables).await;
    assert_finding(&diagnosis, "BETTER_AUTH_CACHE", CheckStatus::Failed, "requires PostgreSQL");
}

//! Users with many sessions, and sessions without a user.

use cluster::Database;
use support::prelude::*;

use super::fixtures::{ADA_FOUND, ada, ask_for_ada, by_email, by_id, by_token, usual_tables};

/// Ada with ten thousand sessions: the even ones end before [`NOW`], the others are impersonated.
/// Another user with as many ended sessions.
async fn ten_thousand() -> Database {
    let database = usual_tables().await;
    database
        .execute(&format!(
            r#"INSERT INTO "user" ("id", "email") VALUES ('usr_ada', 'ada@example.com'), ('usr_bob', 'bob@example.com');
            INSERT INTO "session" ("id", "userId", "token", "expiresAt", "impersonatedBy")
                SELECT 'ses_' || n, 'usr_ada', 'tok_' || n,
                    to_timestamp({NOW} + CASE WHEN n % 2 = 0 THEN -n ELSE n END),
                    CASE WHEN n % 2 = 1 THEN 'usr_bob' END
                FROM generate_series(1, 10000) AS n;
            INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                SELECT 'bob_' || n, 'usr_bob', 'bob_' || n, to_timestamp({NOW} - n + 1)
                FROM generate_series(1, 10000) AS n;"#
        ))
        .await;
    database
}

#[tokio::test]
async fn preferred_session_is_chosen() {
    let database = ten_thousand().await;
    let store = PostgresStore::builder(database.url())
        .query_timeout(Duration::from_secs(1))
        .connect()
        .await
        .unwrap();
    assert_eq!(by_email(&store, "bob@example.com").await, "no session");
    // Only impersonated sessions.
    assert_eq!(ask_for_ada(&store).await, "usr_ada ses_9999");
    let add = async |id: &str, ends: i64| {
        database
            .execute(&format!(
                r#"INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                VALUES ('{id}', 'usr_ada', 'tok_{id}', to_timestamp({NOW} + {ends}))"#
            ))
            .await;
    };
    add("short", 1).await;
    assert_eq!(ask_for_ada(&store).await, "usr_ada short");
    add("b_longer", 20).await;
    add("c_longer", 20).await;
    assert_eq!(ask_for_ada(&store).await, "usr_ada b_longer");
    // By the bytes of the id.
    add("B_longer", 20).await;
    assert_eq!(ask_for_ada(&store).await, "usr_ada B_longer");
}

/// Deployments without foreign keys keep the sessions of deleted users.
#[tokio::test]
async fn sessions_do_not_outlive_users() {
    let database = ada().await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    assert_eq!(by_token(&store, "tok_ada").await, ADA_FOUND);
    database.execute(r#"DELETE FROM "user""#).await;
    assert_eq!(by_token(&store, "tok_ada").await, "no user");
    assert_eq!(by_id(&store, "usr_ada").await, "no user");
    assert_eq!(by_email(&store, "ada@example.com").await, "no user");
}

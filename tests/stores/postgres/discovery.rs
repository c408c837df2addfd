//! Databases with missing, incomplete or ambiguous tables.

use cluster::{Database, cluster};
use support::prelude::*;

use super::fixtures::{
    ADA, ADA_FOUND, Types, ada, ask_for_ada, error_for_ada, everything, usual_tables,
};

async fn database(ddl: &str) -> Database {
    let database = cluster().await.create_database().await;
    database.execute(ddl).await;
    database
}

#[tokio::test]
async fn two_user_tables_are_ambiguous() {
    let database = ada().await;
    database.execute("CREATE TABLE users (id text, email text)").await;
    let error = PostgresStore::connect(database.url()).await.unwrap_err().to_string();
    for part in [
        r#""user" with "session""#,
        r#""users" with "session""#,
        "BETTER_AUTH_USER_TABLE",
        "BETTER_AUTH_SESSION_TABLE",
        "BETTER_AUTH_SCHEMA",
    ] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    for schema in [Schema::camel(), Schema::auto().with_user_table("user")] {
        let store = PostgresStore::builder(database.url()).schema(schema);
        assert_eq!(ask_for_ada(&store.connect().await.unwrap()).await, ADA_FOUND);
    }
}

#[tokio::test]
async fn mixed_naming_is_ambiguous() {
    let database = ada().await;
    database
        .execute(r#"ALTER TABLE "session" ADD "user_id" text, ADD "expires_at" timestamptz"#)
        .await;
    PostgresStore::connect(database.url()).await.unwrap_err();
    let store = PostgresStore::builder(database.url()).schema(Schema::camel());
    assert_eq!(ask_for_ada(&store.connect().await.unwrap()).await, ADA_FOUND);
}

#[tokio::test]
async fn missing_tables_are_named() {
    let database = database("").await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    let app = App::new(store.clone());
    app.rejects(&token_for("ada@example.com"), "no tables", Unavailable).await;
    let error = error_for_ada(&store).await;
    assert_eq!(error.kind(), StoreErrorKind::Schema);
    let text = everything(&error);
    for part in [
        r#"table "user""#,
        r#"table "users""#,
        r#"table "session""#,
        r#"table "sessions""#,
        "BETTER_AUTH_USER_TABLE",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert_eq!(store.ready().await.unwrap_err().kind(), StoreErrorKind::Schema);

    database.execute(r#"CREATE TABLE "user" ("id" text, "email" text)"#).await;
    let text = everything(&error_for_ada(&store).await);
    assert!(!text.contains(r#"table "user""#), "{text}");
    assert!(text.contains(r#"table "session""#), "{text}");

    database.execute(r#"DROP TABLE "user""#).await;
    database.execute(&Types::USUAL.ddl()).await;
    database.execute(&ADA.join(";")).await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    app.accepts(&token_for("ada@example.com"), "tables", "usr_ada", "ses_ada").await;
    store.ready().await.unwrap();
}

#[tokio::test]
async fn missing_column_is_named() {
    let database = usual_tables().await;
    database.execute(r#"ALTER TABLE "session" DROP "expiresAt""#).await;
    for schema in [Schema::camel(), Schema::auto()] {
        let store = PostgresStore::builder(database.url()).schema(schema);
        let store = store.connect().await.unwrap();
        let text = everything(&error_for_ada(&store).await);
        assert!(text.contains(r#"column "expiresAt" of "session""#), "{text}");
    }
}

#[tokio::test]
async fn wrong_time_type_is_named() {
    let text_column = Types { time: "text", ..Types::USUAL };
    let store = PostgresStore::connect(database(&text_column.ddl()).await.url()).await.unwrap();
    let error = error_for_ada(&store).await;
    assert_eq!(error.kind(), StoreErrorKind::Schema);
    let text = everything(&error);
    assert!(text.contains(r#"column "expiresAt" does not contain times"#), "{text}");
    assert!(text.contains("timestamptz"), "{text}");
}

#[tokio::test]
async fn only_real_tables_are_found() {
    let database = ada().await;
    // Indexes and sequences are in the same catalog as tables.
    database
        .execute(r#"CREATE TABLE other ("id" text, "email" text); CREATE INDEX users ON other ("id", "email"); CREATE SEQUENCE sessions"#)
        .await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
}

#[tokio::test]
async fn added_table_stops_nothing() {
    let database = ada().await;
    let store = PostgresStore::builder(database.url())
        .schema_refresh(Duration::ZERO)
        .connect()
        .await
        .unwrap();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    database
        .execute(r#"CREATE TABLE users (id text, email text); CREATE TABLE sessions AS SELECT * FROM "session""#)
        .await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    database.execute(r#"ALTER TABLE "session" RENAME TO "away""#).await;
    assert_eq!(ask_for_ada(&store).await, "failed: schema");
    database.execute(r#"ALTER TABLE "away" RENAME TO "session""#).await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
}

//! Tables that change at runtime.

use cluster::{Database, cluster};
use support::prelude::*;

use super::fixtures::{ADA_FOUND, ada, ask_for_ada, backends, error_for_ada, everything};

const REFRESH: Duration = Duration::from_secs(60);

/// The minimal tables: Ada without a column for bans.
async fn without_bans() -> Database {
    let database = cluster().await.create_database().await;
    database
        .execute(
            r#"CREATE TABLE "user" ("id" text, "email" text);
            CREATE TABLE "session" ("id" text, "userId" text, "expiresAt" timestamptz);
            INSERT INTO "user" VALUES ('u', 'ada@example.com'); INSERT INTO "session" VALUES ('s', 'u', 'infinity')"#,
        )
        .await;
    database
}

const BAN: &str = r#"ALTER TABLE "user" ADD "banned" boolean; UPDATE "user" SET "banned" = true"#;

#[tokio::test]
async fn new_ban_column_is_noticed() {
    let database = without_bans().await;
    let store = PostgresStore::builder(database.url()).schema_refresh(REFRESH).build().unwrap();
    let clock = clock();
    let app = App::of(builder(store).clock(clock.clone()));
    let token = token_for("ada@example.com");
    app.accepts(&token, "before", "u", "s").await;
    database.execute(BAN).await;
    clock.advance(REFRESH - Duration::from_millis(1));
    app.accepts(&token, "not looked yet", "u", "s").await;
    clock.advance(Duration::from_millis(1));
    app.rejects(&token, "banned", UserBanned).await;
}

#[tokio::test]
async fn clock_change_stops_no_refresh() {
    let database = without_bans().await;
    let store = PostgresStore::builder(database.url()).schema_refresh(REFRESH).build().unwrap();
    let is_banned = async |now| {
        let lookup = Lookup::by_email("ada@example.com", now);
        match store.resolve(lookup).await.unwrap() {
            Resolution::Found { user, .. } => user.is_banned_at(now),
            other => panic!("{other:?}"),
        }
    };
    assert!(!is_banned(now().saturating_add(REFRESH)).await);
    database.execute(BAN).await;
    assert!(is_banned(now()).await);
}

#[tokio::test]
async fn removed_columns_are_noticed() {
    let database = ada().await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    for change in [
        r#"ALTER TABLE "user" DROP "image""#,
        r#"ALTER TABLE "user" DROP "banned", DROP "banExpires""#,
        r#"ALTER TABLE "session" RENAME "impersonatedBy" TO "was_impersonated_by""#,
        r#"ALTER TABLE "session" DROP "createdAt", DROP "activeOrganizationId""#,
        r#"ALTER TABLE "session" ALTER "expiresAt" TYPE bigint USING extract(epoch from "expiresAt")"#,
        r#"ALTER TABLE "session" ALTER "expiresAt" TYPE timestamp USING to_timestamp("expiresAt")"#,
        r#"ALTER TABLE "session" ALTER "userId" TYPE varchar(40)"#,
        r#"ALTER TABLE "session" RENAME "expiresAt" TO "expires_at"; ALTER TABLE "session" RENAME "userId" TO "user_id""#,
        r#"ALTER TABLE "user" RENAME TO "users"; ALTER TABLE "session" RENAME TO "sessions""#,
    ] {
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND, "before: {change}");
        database.execute(change).await;
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND, "after: {change}");
    }
}

#[tokio::test]
async fn removed_table_is_an_error() {
    let database = ada().await;
    let store = PostgresStore::builder(database.url()).max_connections(1).connect().await.unwrap();
    let client = database.client().await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    let before = backends(&client).await;
    for table in ["user", "session"] {
        database.execute(&format!(r#"ALTER TABLE "{table}" RENAME TO "away""#)).await;
        for _ in 0..5 {
            let error = error_for_ada(&store).await;
            assert_eq!(error.kind(), StoreErrorKind::Schema);
            let text = everything(&error);
            assert!(text.contains(&format!(r#"table "{table}""#)), "{text}");
        }
        database.execute(&format!(r#"ALTER TABLE "away" RENAME TO "{table}""#)).await;
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    }
    assert_eq!(backends(&client).await, before, "the connection still worked");
}

#[tokio::test]
async fn concurrent_lookups_see_the_change() {
    let database = ada().await;
    let store = PostgresStore::builder(database.url())
        .max_connections(4)
        .batch_connections(4)
        .connect()
        .await
        .unwrap();
    let client = database.client().await;
    let all = async || {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let store = store.clone();
            tasks.spawn(async move { ask_for_ada(&store).await });
        }
        for answer in tasks.join_all().await {
            assert_eq!(answer, ADA_FOUND);
        }
    };
    all().await;
    let before = backends(&client).await;
    assert_eq!(before.len(), 4);
    database.execute(r#"ALTER TABLE "user" DROP "image""#).await;
    all().await;
    assert_eq!(backends(&client).await, before, "no new connection");
}

#[tokio::test]
async fn ready_notices_a_change() {
    let database = ada().await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    store.ready().await.unwrap();
    database.execute(r#"ALTER TABLE "session" RENAME "expiresAt" TO "ends""#).await;
    let error = store.ready().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Schema);
    database.execute(r#"ALTER TABLE "session" RENAME "ends" TO "expiresAt""#).await;
    store.ready().await.unwrap();
}

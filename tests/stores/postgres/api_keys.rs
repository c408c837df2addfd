//! API keys and custom fields in all kinds of tables.

use cluster::Database;
use support::prelude::*;

use super::fixtures::own_server;

/// The result of an API key lookup.
async fn ask(store: &PostgresStore, key: &str) -> String {
    let hash = ApiKeyHash::from_key(key);
    let now = now();
    match store.resolve(Lookup::by_api_key(&hash, now)).await {
        Ok(Resolution::FoundApiKey { user, api_key, .. }) => {
            format!("{} {}", user.id(), api_key.id())
        }
        Ok(Resolution::ApiKeyNotFound) => "no key".to_owned(),
        Ok(Resolution::UserNotFound) => "no user".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// A database with one user, whose id has this type.
async fn database(id_type: &str, id: &str) -> Database {
    let database = own_server().await.create_database().await;
    let ddl = format!(
        r#"CREATE TABLE "user" ("id" {id_type} PRIMARY KEY, "email" text, "plan" text, "credits" integer);
        CREATE TABLE "session" ("id" {id_type}, "userId" {id_type}, "expiresAt" timestamptz, "token" text);
        INSERT INTO "user" VALUES ('{id}', 'ada@example.com', 'gold', NULL);"#
    );
    database.execute(&ddl).await;
    database
}

/// Better Auth's table with one key of an owner.
async fn add_key(database: &Database, owner_type: &str, owner: &str) {
    let hash = ApiKeyHash::from_key("app_key");
    let ddl = format!(
        r#"CREATE TABLE "apikey" ("id" text, "key" text, "referenceId" {owner_type}, "enabled" boolean,
            "expiresAt" timestamptz, "remaining" integer);
        INSERT INTO "apikey" VALUES ('key_1', '{}', '{owner}', true, NULL, NULL);"#,
        hash.as_str()
    );
    database.execute(&ddl).await;
}

async fn store(database: &Database) -> PostgresStore {
    PostgresStore::connect(database.url()).await.unwrap()
}

const UUID: &str = "6f1c1b1e-1111-4222-8333-444455556666";

#[tokio::test]
async fn owner_is_found_for_all_id_types() {
    for (id_type, id, owner_type) in [
        ("text", "usr_ada", "text"),
        ("integer", "42", "text"),
        ("bigint", "42", "text"),
        ("integer", "42", "integer"),
        ("uuid", UUID, "text"),
        ("uuid", UUID, "uuid"),
        ("varchar(36)", "usr_ada", "text"),
        ("text", "42", "integer"),
    ] {
        let database = database(id_type, id).await;
        add_key(&database, owner_type, id).await;
        let store = store(&database).await;
        let what = format!("{id_type} {owner_type}");
        assert_eq!(ask(&store, "app_key").await, format!("{id} key_1"), "{what}");
        assert_eq!(ask(&store, "app_other").await, "no key", "{what}");
    }
}

#[tokio::test]
async fn impossible_owner_is_not_found() {
    for (id_type, id, owner) in [
        ("integer", "42", "org_1"),
        ("integer", "42", "43"),
        ("integer", "42", "99999999999999999999999"),
        ("integer", "42", "-1"),
        ("integer", "42", "4 2"),
        ("uuid", UUID, "org_1"),
        ("uuid", UUID, "6f1c1b1e-1111-4222-8333-444455556667"),
        ("uuid", UUID, ""),
        ("text", "usr_ada", "USR_ADA"),
    ] {
        let database = database(id_type, id).await;
        add_key(&database, "text", owner).await;
        let answer = ask(&store(&database).await, "app_key").await;
        assert_eq!(answer, "no user", "{id_type} {owner}");
    }
}

#[tokio::test]
async fn older_column_names_are_read() {
    let hash = ApiKeyHash::from_key("app_key");
    for (table, ddl) in [
        (
            "apikey",
            r#""id" text, "key" text, "userId" text, "enabled" boolean, "expiresAt" timestamp, "remaining" integer"#,
        ),
        (
            "apikeys",
            "id text, key text, reference_id text, enabled boolean, expires_at timestamptz, remaining integer",
        ),
        (
            "my_keys",
            "id text, key varchar(64), user_id text, enabled smallint, expires_at bigint, remaining bigint",
        ),
    ] {
        let database = database("text", "usr_ada").await;
        let enabled = if table == "my_keys" { "1" } else { "true" };
        database
            .execute(&format!(
                r#"CREATE TABLE {table} ({ddl}); INSERT INTO {table} VALUES ('key_1', '{}', 'usr_ada', {enabled}, NULL, 3)"#,
                hash.as_str()
            ))
            .await;
        let schema = Schema::auto().with_api_key_table(table);
        let builder = PostgresStore::builder(database.url()).schema(schema);
        let store = builder.connect().await.unwrap();
        assert_eq!(ask(&store, "app_key").await, "usr_ada key_1", "{table}");
    }
}

/// A key without an end has NULL or no column.
#[tokio::test]
async fn all_expiry_types_are_read() {
    let database = database("text", "usr_ada").await;
    add_key(&database, "text", "usr_ada").await;
    let store = store(&database).await;
    let hash = ApiKeyHash::from_key("app_key");
    let now = now();
    for (expires_at, ended) in [
        ("NULL", false),
        ("'infinity'", false),
        ("'2999-01-01T00:00:00Z'", false),
        ("'2001-01-01T00:00:00Z'", true),
        ("'1901-01-01T00:00:00Z'", true),
        ("'-infinity'", true),
    ] {
        let sql = format!(r#"UPDATE "apikey" SET "expiresAt" = {expires_at}"#);
        database.execute(&sql).await;
        let answer = store.resolve(Lookup::by_api_key(&hash, now)).await;
        let Ok(Resolution::FoundApiKey { api_key, .. }) = answer else {
            panic!("{expires_at}: {answer:?}");
        };
        assert_eq!(api_key.is_expired_at(now), ended, "{expires_at}");
    }
}

#[tokio::test]
async fn incomplete_table_is_an_error() {
    let database = database("text", "usr_ada").await;
    assert_eq!(ask(&store(&database).await, "app_key").await, "Schema");
    database.execute(r#"CREATE TABLE "apikey" ("id" text, "key" text, "referenceId" text)"#).await;
    let store = store(&database).await;
    assert_eq!(ask(&store, "app_key").await, "Schema");
    // Other keys are not affected.
    let now = now();
    let answer = store.resolve(Lookup::by_user_id("usr_ada", now)).await;
    assert!(matches!(answer, Ok(Resolution::NoActiveSession)), "{answer:?}");
    let hash = ApiKeyHash::from_key("app_key");
    let error = store.resolve(Lookup::by_api_key(&hash, now)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Schema);
    let text = with_causes(&error);
    assert!(text.contains(r#"column "enabled" of "apikey""#), "{text}");
}

#[tokio::test]
async fn duplicate_key_is_an_error() {
    let database = database("text", "usr_ada").await;
    add_key(&database, "text", "usr_ada").await;
    database
        .execute(r#"INSERT INTO "apikey" SELECT 'key_2', "key", "referenceId", true, NULL, NULL FROM "apikey""#)
        .await;
    assert_eq!(ask(&store(&database).await, "app_key").await, "WrongAnswer");
}

#[tokio::test]
async fn custom_fields_are_read() {
    let database = database("text", "usr_ada").await;
    add_key(&database, "text", "usr_ada").await;
    database
        .execute(r#"INSERT INTO "session" VALUES ('ses_1', 'usr_ada', now() + interval '1000 years', 't1')"#)
        .await;
    let schema = Schema::auto().with_user_field("plan").with_user_field("credits");
    let builder = PostgresStore::builder(database.url()).schema(schema);
    let store = builder.connect().await.unwrap();
    let now = now();
    let token = better_auth_layer::SessionToken::new("t1");
    let hash = ApiKeyHash::from_key("app_key");
    for lookup in [
        Lookup::by_email("ada@example.com", now),
        Lookup::by_email("ada@example.com", now).with_session_id("ses_1"),
        Lookup::by_user_id("usr_ada", now),
        Lookup::by_session_token(&token, now),
        Lookup::by_api_key(&hash, now),
    ] {
        let what = format!("{lookup:?}");
        let user = match store.resolve(lookup).await.unwrap() {
            Resolution::Found { user, .. } | Resolution::FoundApiKey { user, .. } => user,
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(user.field("plan"), Some("gold"), "{what}");
        assert_eq!(user.field("credits"), None, "{what}");
        assert_eq!(user.field("email"), None, "{what}");
    }
    let missing = Schema::auto().with_user_field("nickname");
    let builder = PostgresStore::builder(database.url()).schema(missing);
    let store = builder.connect().await.unwrap();
    let error = store.ready().await.unwrap_err();
    let text = with_causes(&error);
    assert!(text.contains(r#"column "nickname" of "user""#), "{text}");
}

//! API keys and custom fields in all kinds of SQLite files.

use support::prelude::*;
/// A file with a user, whose id has this type, and the result of a statement.
async fn file(id_type: &str, id: &str, more: &str) -> (SqliteStore, TemporaryFolder) {
    file_with(Schema::auto(), id_type, id, more).await
}

async fn file_with(
    schema: Schema,
    id_type: &str,
    id: &str,
    more: &str,
) -> (SqliteStore, TemporaryFolder) {
    let folder = TemporaryFolder::new();
    let path = folder.path().join("auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    let ddl = format!(
        r#"CREATE TABLE "user" ("id" {id_type} PRIMARY KEY, "email" text, "plan" text, "credits" integer);
        CREATE TABLE "session" ("id" {id_type}, "userId" {id_type}, "expiresAt" date, "token" text);
        INSERT INTO "user" VALUES ('{id}', 'ada@example.com', 'gold', 7);
        INSERT INTO "session" VALUES ('1', '{id}', '2999-01-01T00:00:00.000Z', 't1');
        {more}"#
    );
    database.execute_batch(&ddl).unwrap();
    let store = SqliteStore::builder(path).schema(schema);
    (store.open().unwrap(), folder)
}

async fn ask(store: &SqliteStore, key: &str) -> String {
    let hash = ApiKeyHash::from_key(key);
    let now = now();
    match store.resolve(Lookup::by_api_key(&hash, now)).await {
        Ok(Resolution::FoundApiKey { user, api_key, .. }) => {
            let ended = if api_key.is_expired_at(now) { " ended" } else { "" };
            format!("{} {}{ended}", user.id(), api_key.id())
        }
        Ok(Resolution::ApiKeyNotFound) => "no key".to_owned(),
        Ok(Resolution::UserNotFound) => "no user".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => with_causes(&error),
    }
}

/// Better Auth's table with one key: its owner and its end as SQL.
fn key(owner: &str, expires_at: &str) -> String {
    let hash = ApiKeyHash::from_key("app_key");
    format!(
        r#"CREATE TABLE "apikey" ("id" text, "key" text, "referenceId" text, "enabled" integer, "expiresAt" date,
            "remaining" integer);
        INSERT INTO "apikey" VALUES ('key_1', '{}', {owner}, 1, {expires_at}, NULL);"#,
        hash.as_str()
    )
}

#[tokio::test]
async fn owner_is_found_for_all_id_types() {
    for (id_type, id, owner) in
        [("text", "usr_ada", "'usr_ada'"), ("integer", "42", "'42'"), ("integer", "42", "42")]
    {
        let (store, _folder) = file(id_type, id, &key(owner, "NULL")).await;
        assert_eq!(ask(&store, "app_key").await, format!("{id} key_1"), "{owner}");
        assert_eq!(ask(&store, "app_other").await, "no key");
    }
    for (id_type, id, owner) in
        [("text", "usr_ada", "'org_1'"), ("integer", "42", "'org_1'"), ("integer", "42", "'43'")]
    {
        let (store, _folder) = file(id_type, id, &key(owner, "NULL")).await;
        assert_eq!(ask(&store, "app_key").await, "no user", "{owner}");
    }
}

/// A key without an end has NULL. A key with an unreadable end is expired.
#[tokio::test]
async fn all_expiry_types_are_read() {
    let (before, after) = (NOW - 1, NOW + 1);
    for (expires_at, ended) in [
        ("NULL".to_owned(), false),
        ("'2999-01-01T00:00:00.000Z'".to_owned(), false),
        ("'2001-01-01T00:00:00.000Z'".to_owned(), true),
        (before.to_string(), true),
        (after.to_string(), false),
        (format!("{before}000"), true),
        (format!("{after}000"), false),
        ("'never'".to_owned(), true),
        ("''".to_owned(), true),
        ("x'00'".to_owned(), true),
    ] {
        let (store, _folder) = file("text", "usr_ada", &key("'usr_ada'", &expires_at)).await;
        let expected = if ended { "usr_ada key_1 ended" } else { "usr_ada key_1" };
        assert_eq!(ask(&store, "app_key").await, expected, "{expires_at}");
    }
}

#[tokio::test]
async fn incomplete_tables_are_an_error() {
    let (store, _folder) = file("text", "usr_ada", "").await;
    let text = ask(&store, "app_key").await;
    assert!(text.contains(r#"there is no table "apikey""#), "{text}");
    let less =
        r#"CREATE TABLE "apikey" ("id" text, "key" text, "referenceId" text, "enabled" integer);"#;
    let (store, _folder) = file("text", "usr_ada", less).await;
    let text = ask(&store, "app_key").await;
    assert!(text.contains(r#"no column "expiresAt" of "apikey""#), "{text}");
    let twice = key("'usr_ada'", "NULL") + r#"INSERT INTO "apikey" SELECT * FROM "apikey";"#;
    let (store, _folder) = file("text", "usr_ada", &twice).await;
    let text = ask(&store, "app_key").await;
    assert!(text.contains("several rows"), "{text}");
}

#[tokio::test]
async fn custom_fields_are_read() {
    let schema = Schema::auto().with_user_field("plan").with_user_field("credits");
    let more = key("'usr_ada'", "NULL");
    let (store, _folder) = file_with(schema, "text", "usr_ada", &more).await;
    let now = now();
    let token = SessionToken::new("t1");
    let hash = ApiKeyHash::from_key("app_key");
    for lookup in [
        Lookup::by_email("ada@example.com", now),
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
        assert_eq!(user.field("credits"), Some("7"), "{what}");
    }
    let missing = Schema::auto().with_user_field("nickname");
    let (store, _folder) = file_with(missing, "text", "usr_ada", "").await;
    let text = with_causes(&store.ready().await.unwrap_err());
    assert!(text.contains(r#"column "nickname" of "user""#), "{text}");
}

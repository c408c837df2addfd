//! `SqliteStore` with all kinds of member tables.

use std::path::{Path, PathBuf};
use support::prelude::*;

use super::{ask, failure, malformed};

const USERS: &str = r#"
    CREATE TABLE "user" ("id" text PRIMARY KEY, "email" text);
    CREATE TABLE "session" ("id" text, "userId" text, "expiresAt" date);
"#;

/// A file with users, sessions and the result of a statement.
fn file(folder: &TemporaryFolder, more: &str) -> (rusqlite::Connection, PathBuf) {
    let path = folder.path().join("auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(&format!("{USERS}{more}")).unwrap();
    (database, path)
}

/// With rows for `7` or `usr_7` in `9` or `org_9`.
fn table(name: &str, columns: [&str; 2], types: [&str; 2], ids: [&str; 2]) -> String {
    let [user, organization] = columns;
    let ([user_type, organization_type], [user_id, organization_id]) = (types, ids);
    format!(
        r#"CREATE TABLE "{name}" ("id" text, "{user}" {user_type}, "{organization}" {organization_type}, "role" text);
        INSERT INTO "{name}" VALUES ('m', '{user_id}', '{organization_id}', 'admin,billing');"#
    )
}

const CAMEL: [&str; 2] = ["userId", "organizationId"];
const SNAKE: [&str; 2] = ["user_id", "organization_id"];
const TEXTS: [&str; 2] = ["usr_7", "org_9"];

#[tokio::test]
async fn migrated_table_is_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/better-auth");
    let read = |name: &str| std::fs::read_to_string(fixtures.join(name)).unwrap();
    let rows: Value = serde_json::from_str(&read("sqlite.rows.json")).unwrap();
    let row = &rows["member"][0];
    let text = |column: &str| row[column].as_str().unwrap();
    let folder = TemporaryFolder::new();
    let path = folder.path().join("auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(&read("sqlite.schema.sql")).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    let names = ["id", "organizationId", "userId", "role", "createdAt"];
    let sql = r#"INSERT INTO "member" ("id", "organizationId", "userId", "role", "createdAt") VALUES (?, ?, ?, ?, ?)"#;
    database.execute(sql, names.map(text)).unwrap();
    let store = SqliteStore::open(path).unwrap();
    let (user_id, organization_id) = (text("userId"), text("organizationId"));
    assert_eq!(ask(&store, user_id, organization_id).await, "member as owner");
    assert_eq!(ask(&store, organization_id, user_id).await, "not a member");
}

#[tokio::test]
async fn table_and_columns_are_found() {
    for (name, columns, schema) in [
        ("member", CAMEL, Schema::auto()),
        ("member", SNAKE, Schema::auto()),
        ("members", CAMEL, Schema::auto()),
        ("members", SNAKE, Schema::auto()),
        ("member", SNAKE, Schema::auto().with_database_schema("main")),
        ("Team \"A\"", CAMEL, Schema::auto().with_member_table(r#""Team ""A""""#)),
    ] {
        let folder = TemporaryFolder::new();
        let more = table(&name.replace('"', "\"\""), columns, ["text"; 2], TEXTS);
        let (_database, path) = file(&folder, &more);
        let store = SqliteStore::builder(path).schema(schema).open().unwrap();
        let answer = ask(&store, "usr_7", "org_9").await;
        assert_eq!(answer, "member as admin+billing", "{name} {columns:?}");
    }
}

#[tokio::test]
async fn all_id_types_match_exactly() {
    for (types, ids) in [
        (["text", "text"], TEXTS),
        (["text COLLATE NOCASE", "text COLLATE NOCASE"], TEXTS),
        (["integer", "integer"], ["7", "9"]),
        (["integer", "text"], ["7", "org_9"]),
        (["text", "integer"], ["usr_7", "9"]),
    ] {
        let folder = TemporaryFolder::new();
        let (_database, path) = file(&folder, &table("member", CAMEL, types, ids));
        let store = SqliteStore::open(path).unwrap();
        let [user_id, organization_id] = ids;
        let found = "member as admin+billing";
        assert_eq!(ask(&store, user_id, organization_id).await, found, "{types:?}");
        let upper = organization_id.to_uppercase();
        for bad in malformed(organization_id).into_iter().chain([upper]) {
            if bad != organization_id {
                let answer = ask(&store, user_id, &bad).await;
                assert_eq!(answer, "not a member", "{types:?} {bad:?}");
            }
        }
        let upper = user_id.to_uppercase();
        for bad in malformed(user_id).into_iter().chain([upper]) {
            if bad != user_id {
                let answer = ask(&store, &bad, organization_id).await;
                assert_eq!(answer, "not a member", "{types:?} {bad:?}");
            }
        }
    }
}

/// The row is identified even if the column ignores case.
#[tokio::test]
async fn equal_collation_ids_stay_distinct() {
    let folder = TemporaryFolder::new();
    let more = table("member", CAMEL, ["text COLLATE NOCASE"; 2], TEXTS)
        + r#"INSERT INTO "member" VALUES ('n', 'USR_7', 'org_9', 'admin,billing'), ('o', 'Usr_7', 'ORG_9', 'owner');"#;
    let (_database, path) = file(&folder, &more);
    let store = SqliteStore::open(path).unwrap();
    for (user_id, organization_id, expected) in [
        ("usr_7", "org_9", "member as admin+billing"),
        ("USR_7", "org_9", "member as admin+billing"),
        ("Usr_7", "ORG_9", "member as owner"),
        ("Usr_7", "org_9", "not a member"),
    ] {
        let answer = ask(&store, user_id, organization_id).await;
        assert_eq!(answer, expected, "{user_id} {organization_id}");
    }
}

#[tokio::test]
async fn duplicate_rows_must_agree() {
    let folder = TemporaryFolder::new();
    let (database, path) = file(&folder, &table("member", CAMEL, ["text"; 2], TEXTS));
    let store = SqliteStore::open(path).unwrap();
    let again =
        r#"INSERT INTO "member" SELECT 'n', "userId", "organizationId", "role" FROM "member""#;
    database.execute_batch(again).unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, "member as admin+billing");
    for role in ["'owner'", "'ADMIN,BILLING'", "NULL"] {
        let sql = format!(r#"UPDATE "member" SET "role" = {role} WHERE "id" = 'n'"#);
        database.execute_batch(&sql).unwrap();
        let text = failure(&store, "usr_7", "org_9").await;
        assert!(text.starts_with("WrongAnswer") && text.contains("two memberships"), "{text}");
    }
}

#[tokio::test]
async fn null_role_is_no_role() {
    let folder = TemporaryFolder::new();
    let (database, path) = file(&folder, &table("member", CAMEL, ["text"; 2], TEXTS));
    database.execute_batch(r#"UPDATE "member" SET "role" = NULL"#).unwrap();
    let store = SqliteStore::open(path).unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, "member as ");
}

#[tokio::test]
async fn missing_table_is_named() {
    let folder = TemporaryFolder::new();
    let (database, path) = file(&folder, "");
    let store = SqliteStore::open(path).unwrap();
    let text = failure(&store, "usr_7", "org_9").await;
    for part in [
        "Schema",
        "organization plugin",
        r#"no table "member" or "members""#,
        "Schema::with_member_table",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let incomplete = r#"CREATE TABLE "member" ("userId" text, "organizationId" text)"#;
    database.execute_batch(incomplete).unwrap();
    let text = failure(&store, "usr_7", "org_9").await;
    assert!(text.contains(r#"no column "role" of "member""#), "{text}");
    database.execute_batch(r#"DROP TABLE "member""#).unwrap();
    let members = table("members", SNAKE, ["text"; 2], TEXTS);
    database.execute_batch(&members).unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, "member as admin+billing");
    database.execute_batch(r#"DROP TABLE "members""#).unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, "failed: schema");
}

#[tokio::test]
async fn endless_writer_is_a_timeout() {
    let folder = TemporaryFolder::new();
    let (database, path) = file(&folder, &table("member", CAMEL, ["text"; 2], TEXTS));
    let builder = SqliteStore::builder(path).query_timeout(Duration::from_millis(100));
    let store = builder.open().unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, "failed: timeout");
    database.execute_batch("COMMIT").unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, "member as admin+billing");
}

#[tokio::test]
async fn configured_store_has_members() {
    let folder = TemporaryFolder::new();
    let (_database, path) = file(&folder, &table("member", CAMEL, ["text"; 2], TEXTS));
    let url = format!("sqlite:{}", path.display());
    let config = Config::from_env(&[("DATABASE_URL", url)].into_iter().collect()).unwrap();
    let store = DatabaseStore::from_config(&config).await.unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, "member as admin+billing");
    assert_eq!(ask(&store, "usr_7", "org_8").await, "not a member");
}

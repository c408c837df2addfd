//! `PostgresStore` with all kinds of member tables.

use std::time::Instant;
use support::prelude::*;

use cluster::{ClusterOptions, Database, OwnCluster, cluster};

use super::{ask, failure, malformed};

const CAMEL: [&str; 2] = ["userId", "organizationId"];
const SNAKE: [&str; 2] = ["user_id", "organization_id"];
const TEXTS: [&str; 2] = ["usr_7", "org_9"];
const NUMBERS: [&str; 2] = ["7", "9"];
const UUIDS: [&str; 2] =
    ["0b5ef5a1-93c2-4b1c-8a55-1f0f5a4e0a07", "0b5ef5a1-93c2-4b1c-8a55-1f0f5a4e0a09"];
const FOUND: &str = "member as admin+billing";

/// A table with one row.
fn table(name: &str, columns: [&str; 2], types: [&str; 2], ids: [&str; 2]) -> String {
    let [user, organization] = columns;
    let ([user_type, organization_type], [user_id, organization_id]) = (types, ids);
    format!(
        r#"CREATE TABLE {name} ("id" text, "{user}" {user_type}, "{organization}" {organization_type}, "role" text);
        INSERT INTO {name} VALUES ('m', '{user_id}', '{organization_id}', 'admin,billing');"#
    )
}

fn usual() -> String {
    table("member", CAMEL, ["text"; 2], TEXTS)
}

async fn database(ddl: &str) -> Database {
    let database = cluster().await.create_database().await;
    database.execute(ddl).await;
    database
}

fn store(database: &Database) -> PostgresStore {
    let builder = PostgresStore::builder(database.url());
    builder.max_connections(2).build().unwrap()
}

async fn ask_usual(store: &PostgresStore) -> String {
    ask(store, "usr_7", "org_9").await
}

#[tokio::test]
async fn table_and_columns_are_found() {
    let own = |name: &str| Schema::auto().with_member_table(format!(r#""App 1".{name}"#));
    for (name, columns, schema) in [
        (r#""member""#, CAMEL, Schema::auto()),
        (r#""member""#, SNAKE, Schema::auto()),
        (r#""members""#, CAMEL, Schema::auto()),
        (r#""members""#, SNAKE, Schema::snake()),
        (r#""App 1"."member""#, SNAKE, Schema::auto().with_database_schema("App 1")),
        (r#""App 1"."Team ""A""""#, CAMEL, own(r#""Team ""A""""#)),
    ] {
        let ddl = table(name, columns, ["text"; 2], TEXTS);
        let database = database(&format!(r#"CREATE SCHEMA "App 1"; {ddl}"#)).await;
        let store = PostgresStore::builder(database.url()).schema(schema);
        let answer = ask_usual(&store.build().unwrap()).await;
        assert_eq!(answer, FOUND, "{name} {columns:?}");
    }
}

#[tokio::test]
async fn all_id_types_match_exactly() {
    let domains = "CREATE DOMAIN numeric_id AS integer; CREATE DOMAIN uuid_id AS uuid;";
    for (types, ids) in [
        (["text", "text"], TEXTS),
        (["varchar(36)", "char(5)"], TEXTS),
        (["integer", "integer"], NUMBERS),
        (["bigint", "numeric"], NUMBERS),
        (["numeric_id", "integer"], NUMBERS),
        (["uuid", "uuid"], UUIDS),
        (["uuid_id", "uuid"], UUIDS),
        (["uuid", "text"], UUIDS),
        (["integer", "text"], ["7", "org_9"]),
        (["text", "uuid"], ["usr_7", UUIDS[1]]),
    ] {
        let ddl = table("member", CAMEL, types, ids);
        let store = store(&database(&format!("{domains}{ddl}")).await);
        let [user_id, organization_id] = ids;
        assert_eq!(ask(&store, user_id, organization_id).await, FOUND, "{types:?}");
        let others = |id: &str| {
            let mut others = malformed(id);
            others.extend([id.to_uppercase(), id.replace('-', "")]);
            others.retain(|other| other != id);
            others
        };
        for other in others(user_id) {
            let answer = ask(&store, &other, organization_id).await;
            assert_eq!(answer, "not a member", "{types:?} user {other:?}");
        }
        for other in others(organization_id) {
            let answer = ask(&store, user_id, &other).await;
            assert_eq!(answer, "not a member", "{types:?} organization {other:?}");
        }
        assert_eq!(ask(&store, user_id, organization_id).await, FOUND, "{types:?}");
    }
}

/// The row is identified even if the column ignores case.
#[tokio::test]
async fn equal_collation_ids_stay_distinct() {
    let caseless = "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";
    let types = ["text COLLATE caseless"; 2];
    let ddl = table("member", CAMEL, types, TEXTS);
    let more = r#"ALTER TABLE member ALTER "role" TYPE text COLLATE caseless;
        INSERT INTO "member" VALUES ('n', 'USR_7', 'org_9', 'admin,billing'), ('o', 'Usr_7', 'ORG_9', 'owner'),
            ('p', 'usr_8', 'org_9', 'owner'), ('q', 'usr_8', 'org_9', 'OWNER')"#;
    let store = store(&database(&format!("{caseless}{ddl}{more}")).await);
    for (user_id, organization_id, expected) in [
        ("usr_7", "org_9", FOUND),
        ("USR_7", "org_9", FOUND),
        ("Usr_7", "ORG_9", "member as owner"),
        ("Usr_7", "org_9", "not a member"),
        ("usr_8", "org_9", "failed: wrong_answer"),
    ] {
        let answer = ask(&store, user_id, organization_id).await;
        assert_eq!(answer, expected, "{user_id} {organization_id}");
    }
}

#[tokio::test]
async fn duplicate_rows_must_agree() {
    let database = database(&usual()).await;
    let store = store(&database);
    database
        .execute(
            r#"INSERT INTO "member" SELECT 'n', "userId", "organizationId", "role" FROM "member""#,
        )
        .await;
    assert_eq!(ask_usual(&store).await, FOUND);
    for role in ["'owner'", "NULL"] {
        database.execute(&format!(r#"UPDATE "member" SET "role" = {role} WHERE "id" = 'n'"#)).await;
        let text = failure(&store, "usr_7", "org_9").await;
        assert!(text.starts_with("WrongAnswer") && text.contains("two memberships"), "{text}");
    }
    database.execute(r#"DELETE FROM "member" WHERE "id" = 'm'"#).await;
    assert_eq!(ask_usual(&store).await, "member as ");
}

#[tokio::test]
async fn missing_table_is_named() {
    let database = database("").await;
    let store = store(&database);
    let text = failure(&store, "usr_7", "org_9").await;
    for part in [
        "Schema",
        "organization plugin",
        r#"no table "member" or "members""#,
        "Schema::with_member_table",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    database.execute(r#"CREATE TABLE "member" ("userId" text, "role" text)"#).await;
    let text = failure(&store, "usr_7", "org_9").await;
    assert!(text.contains(r#"no column "organizationId" of "member""#), "{text}");
    database.execute(r#"DROP TABLE "member""#).await;
    database.execute(&usual()).await;
    assert_eq!(ask_usual(&store).await, FOUND);
    let named = Schema::auto().with_member_table("memberships");
    let named = PostgresStore::builder(database.url()).schema(named);
    let text = failure(&named.build().unwrap(), "usr_7", "org_9").await;
    assert!(text.contains(r#"no table "memberships""#), "{text}");
}

#[tokio::test]
async fn changed_table_is_found_again() {
    let database = database(&usual()).await;
    let store = store(&database);
    for change in [
        "ALTER TABLE member RENAME TO members",
        r#"ALTER TABLE members RENAME "userId" TO user_id; ALTER TABLE members RENAME "organizationId" TO organization_id"#,
        "ALTER TABLE members DROP id",
        "ALTER TABLE members ALTER user_id TYPE varchar(9)",
        r#"CREATE TABLE "member" AS SELECT * FROM members; DROP TABLE members"#,
    ] {
        assert_eq!(ask_usual(&store).await, FOUND, "before: {change}");
        database.execute(change).await;
        assert_eq!(ask_usual(&store).await, FOUND, "after: {change}");
    }
    database.execute(r#"ALTER TABLE "member" RENAME TO away"#).await;
    for _ in 0..3 {
        let text = failure(&store, "usr_7", "org_9").await;
        assert!(text.contains("organization plugin"), "{text}");
    }
    database.execute(r#"ALTER TABLE away RENAME TO "member""#).await;
    assert_eq!(ask_usual(&store).await, FOUND);

    // An invalid id is still not found.
    let to_uuid =
        format!(r#"ALTER TABLE "member" ALTER user_id TYPE uuid USING '{}'::uuid"#, UUIDS[0]);
    database.execute(&to_uuid).await;
    assert_eq!(ask_usual(&store).await, "not a member");
    assert_eq!(ask(&store, UUIDS[0], "org_9").await, FOUND);
}

#[tokio::test]
async fn view_failure_is_an_error() {
    let ddl = table("memberships", CAMEL, ["text"; 2], TEXTS);
    let view = r#"CREATE VIEW "member" AS SELECT "userId", "organizationId", ("userId"::integer)::text AS "role" FROM memberships"#;
    let store = store(&database(&format!("{ddl}{view}")).await);
    for _ in 0..2 {
        let text = failure(&store, "usr_7", "org_9").await;
        // PostgreSQL's message quotes the row.
        assert!(text.contains("22P02") && !text.contains("usr_7"), "{text}");
    }
    assert_eq!(ask(&store, "usr_8", "org_9").await, "not a member");
}

#[tokio::test]
async fn minimal_rights_are_enough() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    database.execute(&usual()).await;
    database
        .execute(r#"CREATE ROLE reader LOGIN; GRANT SELECT ("userId", "organizationId", "role") ON "member" TO reader"#)
        .await;
    let url = database.url().replacen("//postgres@", "//reader@", 1);
    assert_ne!(url, database.url());
    let store = PostgresStore::builder(&url).max_connections(1).build();
    let store = store.unwrap();
    assert_eq!(ask_usual(&store).await, FOUND);
    for column in ["userId", "organizationId", "role"] {
        database.execute(&format!(r#"REVOKE SELECT ("{column}") ON "member" FROM reader"#)).await;
        let text = failure(&store, "usr_7", "org_9").await;
        let part = format!(r#"may not read column "{column}" of "member"; GRANT SELECT on it"#);
        assert!(text.contains(&part), "{text}");
        database.execute(&format!(r#"GRANT SELECT ("{column}") ON "member" TO reader"#)).await;
        assert_eq!(ask_usual(&store).await, FOUND);
    }
}

#[tokio::test]
async fn broken_connection_is_retried() {
    let database = database(&usual()).await;
    let store = store(&database);
    for _ in 0..3 {
        assert_eq!(ask_usual(&store).await, FOUND);
        // While this thread blocks, the pool cannot notice the closed connection.
        let database = database.clone();
        let broken = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(break_connections(&database))
        });
        assert_eq!(broken.join().unwrap(), 1);
        assert_eq!(ask_usual(&store).await, FOUND);
    }
}

/// Ends the store's connections and returns their number.
async fn break_connections(database: &Database) -> usize {
    let terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'better-auth-layer'";
    let client = database.client().await;
    client.query(terminate, &[]).await.unwrap().len()
}

#[tokio::test]
async fn locked_or_stopped_is_an_error() {
    let database = database(&usual()).await;
    let builder = PostgresStore::builder(database.url()).query_timeout(Duration::from_millis(300));
    let store = builder.max_connections(1).build().unwrap();
    assert_eq!(ask_usual(&store).await, FOUND);
    let client = database.client().await;
    client.batch_execute(r#"BEGIN; LOCK TABLE "member""#).await.unwrap();
    let started = Instant::now();
    assert_eq!(ask_usual(&store).await, "failed: timeout");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(ask_usual(&store).await, FOUND);

    let nowhere = PostgresStore::builder("postgres://app@127.0.0.1:1/app?sslmode=disable");
    let nowhere = nowhere.query_timeout(Duration::from_millis(300)).build().unwrap();
    let text = failure(&nowhere, "usr_7", "org_9").await;
    assert!(text.starts_with("Timeout") && text.contains("refused"), "{text}");
}

#[tokio::test]
async fn table_is_resolved_once() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    database.execute(&usual()).await;
    database.execute(r#"CREATE ROLE reader LOGIN; GRANT SELECT ON "member" TO reader"#).await;
    let url = database.url().replacen("//postgres@", "//reader@", 1);
    let connect = || PostgresStore::builder(&url).build().unwrap();
    let store = connect();
    assert_eq!(ask_usual(&store).await, FOUND);
    // The table lookup uses this function.
    database.execute("REVOKE EXECUTE ON FUNCTION pg_catalog.to_regclass(text) FROM PUBLIC").await;
    assert_eq!(ask_usual(&connect()).await, "failed: schema");
    assert_eq!(ask_usual(&store).await, FOUND);
    assert_eq!(ask(&store, "usr_7", "org_8").await, "not a member");
}

#[tokio::test]
async fn concurrent_lookups_do_not_mix() {
    let mut ddl = table("member", CAMEL, ["integer"; 2], NUMBERS);
    ddl.push_str(r#"INSERT INTO "member" SELECT 'n', n, n + 1, 'role_' || n FROM generate_series(100, 163) n"#);
    let store = store(&database(&ddl).await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 100..164 {
        let store = store.clone();
        tasks.spawn(async move {
            let (user_id, organization_id) = (number.to_string(), (number + 1).to_string());
            let answer = ask(&store, &user_id, &organization_id).await;
            assert_eq!(answer, format!("member as role_{number}"));
            let foreign = store.member(&user_id, &user_id).await.unwrap();
            assert_eq!(foreign, None);
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn configured_store_has_members() {
    let database = database(&table("member", CAMEL, ["text"; 2], TEXTS)).await;
    let config =
        Config::from_env(&[("DATABASE_URL", database.url())].into_iter().collect()).unwrap();
    let store = DatabaseStore::from_config(&config).await.unwrap();
    assert_eq!(ask(&store, "usr_7", "org_9").await, FOUND);
    assert_eq!(ask(&store, "usr_7", "org_8").await, "not a member");
}

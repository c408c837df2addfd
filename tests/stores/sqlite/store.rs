//! `SqliteStore` on files as other adapters write them, and under a writer's lock.

use support::prelude::*;
fn database(folder: &TemporaryFolder, sql: &str) -> (rusqlite::Connection, std::path::PathBuf) {
    let path = folder.path().join("app.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(sql).unwrap();
    (database, path)
}

async fn ask(store: &SqliteStore, lookup: Lookup<'_>) -> String {
    match store.resolve(lookup).await {
        Ok(Resolution::Found { user, session, .. }) => format!("{} {}", user.id(), session.id()),
        Ok(Resolution::UserNotFound) => "no user".to_owned(),
        Ok(Resolution::NoActiveSession) => "no session".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

const CAMEL: &str = r#"
    CREATE TABLE "user" ("id" text primary key, "email" text unique, "banned" integer, "banExpires");
    CREATE TABLE "session" ("id" text primary key, "userId" text, "expiresAt", "token" text);
    INSERT INTO "user" ("id", "email") VALUES ('u', 'u@example.com');
"#;

#[tokio::test]
async fn all_expiry_formats_agree() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    let store = SqliteStore::open(path).unwrap();
    // NOW is 2026-11-23T11:44:02Z.
    let one_second_later = [
        "'2026-11-23T11:44:03.000Z'",
        "'2026-11-23T11:44:03Z'",
        "'2026-11-23T12:44:03.000+01:00'",
        "'2026-11-23T06:44:03-05:00'",
        "'2026-11-23 11:44:03'",
        "'2026-11-23 11:44:03.000000'",
        "1795434243000",
        "1795434243",
        "1795434243.0",
        "1795434243000.0",
    ];
    for end in one_second_later {
        let sql = format!("DELETE FROM session; INSERT INTO session VALUES ('s', 'u', {end}, 't')");
        database.execute_batch(&sql).unwrap();
        let at =
            |millis: i64| Lookup::by_user_id("u", Timestamp::from_unix_millis(NOW * 1000 + millis));
        assert_eq!(ask(&store, at(999)).await, "u s", "{end}");
        assert_eq!(ask(&store, at(1000)).await, "no session", "{end}");
    }
    for no_time in ["'soon'", "''", "NULL", "x'00'", "'1795434243000'", "'9999999999999'", "'2026'"]
    {
        let sql =
            format!("DELETE FROM session; INSERT INTO session VALUES ('s', 'u', {no_time}, 't')");
        database.execute_batch(&sql).unwrap();
        assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no session", "{no_time}");
    }
}

#[tokio::test]
async fn all_ban_values_count() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    database.execute_batch("INSERT INTO session VALUES ('s', 'u', 9999999999, 't')").unwrap();
    let store = SqliteStore::open(path).unwrap();
    for (banned, expires, expected) in [
        ("NULL", "NULL", false),
        ("0", "NULL", false),
        ("'false'", "NULL", false),
        ("1", "NULL", true),
        ("'true'", "NULL", true),
        ("'yes'", "NULL", true),
        ("1", "'2026-11-23T11:44:03.000Z'", true),
        ("1", "'2026-11-23T11:44:02.000Z'", false),
        ("1", "1795434243000", true),
        ("1", "1795434242", false),
        ("1", "'no time at all'", true),
    ] {
        let sql = format!(r#"UPDATE "user" SET "banned" = {banned}, "banExpires" = {expires}"#);
        database.execute_batch(&sql).unwrap();
        let Ok(Resolution::Found { user, .. }) =
            store.resolve(Lookup::by_user_id("u", now())).await
        else {
            panic!("{banned} {expires}");
        };
        assert_eq!(user.is_banned_at(now()), expected, "{banned} {expires}");
    }
}

#[tokio::test]
async fn integer_ids_match_exactly() {
    let folder = TemporaryFolder::new();
    let (_database, path) = database(
        &folder,
        r#"CREATE TABLE users (id integer primary key, email text);
        CREATE TABLE sessions (id integer primary key, user_id integer, expires_at datetime);
        INSERT INTO users VALUES (7, 'u@example.com');
        INSERT INTO sessions VALUES (1, 7, '2026-11-30 00:00:00.000000'), (2, 7, '2026-11-29 00:00:00.000000');"#,
    );
    let store = SqliteStore::open(path).unwrap();
    assert_eq!(ask(&store, Lookup::by_email("U@example.com", now())).await, "7 1");
    assert_eq!(ask(&store, Lookup::by_user_id("7", now())).await, "7 1");
    assert_eq!(ask(&store, Lookup::by_user_id("7", now()).with_session_id("2")).await, "7 2");
    for id in ["07", "+7", " 7", "7.0", "0x7", "7 ", "7\0", "", "eight"] {
        assert_eq!(ask(&store, Lookup::by_user_id(id, now())).await, "no user", "{id:?}");
        let narrowed = Lookup::by_user_id("7", now()).with_session_id(id.replace('7', "2"));
        assert_eq!(ask(&store, narrowed).await, "no session", "{id:?}");
    }
    let token = better_auth_layer::SessionToken::new("t");
    assert_eq!(ask(&store, Lookup::by_session_token(&token, now())).await, "Unsupported");
}

#[tokio::test]
async fn tables_may_change_at_runtime() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, "CREATE TABLE unrelated (id)");
    let store = SqliteStore::open(path).unwrap();
    let lookup = || Lookup::by_user_id("u", now());
    assert_eq!(ask(&store, lookup()).await, "Schema");
    assert!(store.ready().await.is_err());

    database.execute_batch(CAMEL).unwrap();
    database.execute_batch("INSERT INTO session VALUES ('s', 'u', 9999999999, 't')").unwrap();
    assert_eq!(ask(&store, lookup()).await, "u s");
    store.ready().await.unwrap();

    database.execute_batch(r#"ALTER TABLE "user" RENAME COLUMN "banned" TO "other""#).unwrap();
    assert_eq!(ask(&store, lookup()).await, "u s");
    database
        .execute_batch(
            r#"ALTER TABLE "user" ADD COLUMN "banned" integer; UPDATE "user" SET "banned" = 1"#,
        )
        .unwrap();
    let Ok(Resolution::Found { user, .. }) = store.resolve(lookup()).await else {
        panic!("not found")
    };
    assert!(user.is_banned_at(now()), "a ban column that was added counts");

    database.execute_batch(r#"ALTER TABLE "session" RENAME TO "gone""#).unwrap();
    assert_eq!(ask(&store, lookup()).await, "Schema");
}

#[tokio::test]
async fn custom_names_are_quoted() {
    let folder = TemporaryFolder::new();
    let (_database, path) = database(
        &folder,
        r#"CREATE TABLE "we""ird user" ("the id" text, "e""mail" text);
        CREATE TABLE "select" (id text, owner text, ends integer);
        INSERT INTO "we""ird user" VALUES ('u', 'u@example.com');
        INSERT INTO "select" VALUES ('s', 'u', 9999999999);"#,
    );
    let schema = Schema::auto()
        .with_user_table(r#""we""ird user""#)
        .with_session_table("main.select")
        .with_user_column("id", "the id")
        .with_user_column("email", r#"e"mail"#)
        .with_session_column("userId", "owner")
        .with_session_column("expiresAt", "ends");
    let store = SqliteStore::builder(path).schema(schema).open().unwrap();
    assert_eq!(ask(&store, Lookup::by_email("u@example.com", now())).await, "u s");
}

#[tokio::test]
async fn invalid_files_fail_at_start() {
    let folder = TemporaryFolder::new();
    let error = SqliteStore::open(folder.path().join("nowhere.sqlite")).unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
    let text = folder.path().join("text.sqlite");
    std::fs::write(&text, "no database in spite of its name ".repeat(40)).unwrap();
    let error = SqliteStore::open(text).unwrap_err();
    assert!(error.to_string().contains("cannot be used"), "{error}");
    let (database, path) = database(&folder, CAMEL);
    database.execute_batch("CREATE TABLE users (id text, email text)").unwrap();
    let error = SqliteStore::open(path).unwrap_err();
    assert!(error.to_string().contains("BETTER_AUTH_USER_TABLE"), "{error}");
}

#[tokio::test]
async fn writer_is_awaited() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    let store =
        SqliteStore::builder(path).query_timeout(Duration::from_millis(300)).open().unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let lookup = || Lookup::by_user_id("u", now());
    let started = std::time::Instant::now();
    let error = store.resolve(lookup()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error:?}");
    database.execute_batch("COMMIT").unwrap();
    assert_eq!(ask(&store, lookup()).await, "no session");
}

/// A service can start during a write, as it can while a database is down.
#[tokio::test]
async fn writer_does_not_block_startup() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let started = std::time::Instant::now();
    let store = SqliteStore::open(path).unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    database.execute_batch("COMMIT").unwrap();
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no session");
}

/// Cancelled lookups open no more than `max_connections` files.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn cancelled_lookups_free_connections() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    let builder =
        SqliteStore::builder(&path).max_connections(2).query_timeout(Duration::from_secs(2));
    let store = builder.open().unwrap();
    let open_files = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap();
        files
            .filter(|file| {
                std::fs::read_link(file.as_ref().unwrap().path()).is_ok_and(|target| target == path)
            })
            .count()
    };
    let before = open_files();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for _ in 0..50 {
        let lookup = store.resolve(Lookup::by_user_id("u", now()));
        assert!(tokio::time::timeout(Duration::from_millis(2), lookup).await.is_err());
    }
    assert!(open_files() <= before + 2, "{} over {before}", open_files());
    database.execute_batch("COMMIT").unwrap();
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no session");
}

#[tokio::test]
async fn dropped_lookups_keep_the_store() {
    let folder = TemporaryFolder::new();
    let (_database, path) = database(&folder, CAMEL);
    let store = SqliteStore::open(path).unwrap();
    for _ in 0..200 {
        let mut lookup = Box::pin(store.resolve(Lookup::by_user_id("u", now())));
        std::future::poll_fn(|cx| {
            let _ = lookup.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    }
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no session");
}

/// A restored backup replaces the file.
#[cfg(unix)]
#[tokio::test]
async fn replaced_file_is_reopened() {
    let folder = TemporaryFolder::new();
    let (old, path) = database(&folder, CAMEL);
    old.execute_batch("INSERT INTO session VALUES ('s', 'u', 9999999999, 't')").unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "u s");
    drop(old);
    let next = folder.path().join("next.sqlite");
    rusqlite::Connection::open(&next).unwrap().execute_batch(CAMEL).unwrap();
    std::fs::rename(next, &path).unwrap();
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no session");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "Unavailable");
}

/// A column may ignore case. Keys are compared exactly.
#[tokio::test]
async fn duplicate_emails_are_an_error() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(
        &folder,
        r#"CREATE TABLE "user" ("id" text primary key, "email" text COLLATE NOCASE);
        CREATE TABLE "session" ("id" text primary key, "userId" text, "expiresAt", "token" text);
        INSERT INTO "user" VALUES ('a_other', 'ADA@example.com'), ('b_exact', 'Ada@Example.com'), ('c_lower', 'ada@example.com');
        INSERT INTO "session" SELECT 's_' || "id", "id", 9999999999, 't_' || "id" FROM "user";"#,
    );
    let store = SqliteStore::open(path).unwrap();
    let by_email = |email: &'static str| Lookup::by_email(email, now());
    assert_eq!(ask(&store, by_email("Ada@Example.com")).await, "b_exact s_b_exact");
    assert_eq!(ask(&store, by_email("ada@example.com")).await, "c_lower s_c_lower");
    assert_eq!(ask(&store, by_email("aDA@example.com")).await, "c_lower s_c_lower");
    database.execute_batch(r#"DELETE FROM "user" WHERE "id" = 'c_lower'"#).unwrap();
    assert_eq!(ask(&store, by_email("ada@example.com")).await, "no user");
    database.execute_batch(r#"INSERT INTO "user" VALUES ('z_twin', 'Ada@Example.com')"#).unwrap();
    assert_eq!(ask(&store, by_email("Ada@Example.com")).await, "WrongAnswer");
    assert_eq!(ask(&store, by_email("ADA@example.com")).await, "a_other s_a_other");
}

#[tokio::test]
async fn added_table_stops_nothing() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no session");
    database.execute_batch("CREATE TABLE users (id integer, email text)").unwrap();
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no session");
    // A new service gets the error.
    assert!(SqliteStore::open(path).is_err());
}

#[tokio::test]
async fn invalid_limits_are_rejected() {
    let folder = TemporaryFolder::new();
    let (_database, path) = database(&folder, CAMEL);
    let builder = || SqliteStore::builder(&path);
    for (builder, setting) in [
        (builder().query_timeout(Duration::ZERO), "query_timeout"),
        (builder().query_timeout(Duration::from_secs(30 * 86_400)), "query_timeout"),
        (builder().max_connections(0), "max_connections"),
        (builder().max_connections(usize::MAX), "max_connections"),
        (builder().queue_capacity(0), "queue_capacity"),
        (builder().queue_capacity(usize::MAX), "queue_capacity"),
    ] {
        assert_eq!(builder.open().unwrap_err().setting(), setting);
    }
}

#[tokio::test]
async fn file_is_never_written() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    database.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    drop(database);
    let before = std::fs::read(&path).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(ask(&store, Lookup::by_email("u@example.com", now())).await, "no session");
    drop(store);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// Deployments without foreign keys keep the sessions of deleted users.
#[tokio::test]
async fn sessions_do_not_outlive_users() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder, CAMEL);
    let ends = NOW + 60;
    let session = format!("INSERT INTO session VALUES ('s', 'u', {ends}, 't')");
    database.execute_batch(&session).unwrap();
    let store = SqliteStore::open(path).unwrap();
    let token = SessionToken::new("t");
    let by_token = || Lookup::by_session_token(&token, now());
    assert_eq!(ask(&store, by_token()).await, "u s");
    database.execute_batch(r#"DELETE FROM "user""#).unwrap();
    assert_eq!(ask(&store, by_token()).await, "no user");
    assert_eq!(ask(&store, Lookup::by_user_id("u", now())).await, "no user");
}

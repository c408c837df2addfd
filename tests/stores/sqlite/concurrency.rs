//! Concurrent lookups of a SQLite file.

use std::path::PathBuf;
use std::pin::Pin;
use support::prelude::*;

use futures_util::future::{FutureExt, join_all};

const USERS: usize = 200;

/// The longest time that a test waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Users `1..=USERS` with one session each. The last user's email is duplicated.
fn database(folder: &TemporaryFolder) -> (rusqlite::Connection, PathBuf) {
    let path = folder.path().join("app.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    let sql = format!(
        r#"CREATE TABLE "user" ("id" text primary key, "email" text);
        CREATE TABLE "session" ("id" text primary key, "userId" text, "expiresAt", "token" text unique);
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {USERS})
        INSERT INTO "user" SELECT 'u' || n, 'u' || n || '@example.com' FROM n;
        INSERT INTO "session" SELECT 's_' || "id", "id", 9999999999, 't_' || "id" FROM "user";
        INSERT INTO "user" VALUES ('twin', 'u{USERS}@example.com');"#
    );
    database.execute_batch(&sql).unwrap();
    (database, path)
}

/// From now on, a lookup of `u3` takes minutes unless it is interrupted.
fn slow_down(database: &rusqlite::Connection) {
    let sql = r#"ALTER TABLE "user" RENAME TO "quick";
        CREATE VIEW "user" AS SELECT "id", "email" FROM "quick" WHERE "id" != 'u3' OR 0 < (
            WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000000) SELECT sum(n) FROM n
        );"#;
    database.execute_batch(sql).unwrap();
}

/// Starts a lookup of a user.
fn asked(store: &SqliteStore, user: usize) -> Pin<Box<impl Future<Output = String>>> {
    let lookup = Lookup::by_user_id(format!("u{user}"), now());
    let mut asking = Box::pin(ask(store, lookup));
    assert_eq!((&mut asking).now_or_never(), None);
    asking
}

async fn ask(store: &SqliteStore, lookup: Lookup<'_>) -> String {
    let answer = tokio::time::timeout(PATIENCE, store.resolve(lookup)).await;
    match answer.expect("the store answers") {
        Ok(Resolution::Found { user, session, .. }) => format!("{} {}", user.id(), session.id()),
        Ok(Resolution::UserNotFound) => "no user".to_owned(),
        Ok(Resolution::NoActiveSession) => "no session".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// The lookup for a number, in one of several kinds, and its result.
fn question(number: usize) -> (Lookup<'static>, String) {
    let user = number % USERS + 1;
    let found = format!("u{user} s_u{user}");
    match number % 4 {
        0 => (Lookup::by_user_id(format!("u{user}"), now()), found),
        1 => {
            let token = SessionToken::new(format!("t_u{user}"));
            (Lookup::by_session_token(&token, now()).into_owned(), found)
        }
        2 => {
            let nobody = format!("nobody{number}@example.com");
            (Lookup::by_email(nobody, now()), "no user".to_owned())
        }
        _ => {
            let email = format!("u{user}@example.com");
            let answer = if user == USERS { "WrongAnswer".to_owned() } else { found };
            (Lookup::by_email(email, now()), answer)
        }
    }
}

/// The same holds if another lookup of the batch fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_not_mixed_up() {
    let folder = TemporaryFolder::new();
    let (_database, path) = database(&folder);
    for connections in [1, 4] {
        let builder = SqliteStore::builder(&path).max_connections(connections);
        let store = Arc::new(builder.open().unwrap());
        let callers = (0..4 * USERS).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (lookup, expected) = question(number);
                assert_eq!(ask(&store, lookup).await, expected, "number {number}");
            })
        });
        for caller in join_all(callers).await {
            caller.unwrap();
        }
    }
}

/// All lookups of a batch start before the batch is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_out_is_seen_by_later_lookups() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder);
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let crowd: Vec<_> = (0..64)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                loop {
                    let (lookup, _) = question(4 * number);
                    ask(&store, lookup).await;
                }
            })
        })
        .collect();
    for number in 1..=100 {
        let user = format!("u{number}");
        let sql = r#"DELETE FROM "session" WHERE "userId" = ?1"#;
        database.execute(sql, [&user]).unwrap();
        let lookup = Lookup::by_user_id(user, now());
        assert_eq!(ask(&store, lookup).await, "no session", "user {number}");
    }
    for member in crowd {
        member.abort();
    }
}

#[tokio::test]
async fn queue_is_bounded() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder);
    let builder = SqliteStore::builder(&path).max_connections(1);
    let store = builder.queue_capacity(2).open().unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asked = |number: usize| {
        let store = store.clone();
        let mut asking = Box::pin(async move { ask(&store, question(4 * number).0).await });
        let answer = (&mut asking).now_or_never();
        (asking, answer)
    };
    let (mut waiting, mut left) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let (asking, answer) = asked(number);
        assert_eq!(answer, None, "number {number} waits");
        match number {
            0 | 1 => waiting.push(asking),
            _ => left.push(asking),
        }
    }
    let (_, refused) = asked(3);
    assert_eq!(refused.as_deref(), Some("Unavailable"));
    left.clear();
    let (asking, answer) = asked(4);
    assert_eq!(answer, None, "there is room again");
    waiting.push(asking);
    database.execute_batch("COMMIT").unwrap();
    assert_eq!(join_all(waiting).await, ["u1 s_u1", "u5 s_u5", "u17 s_u17"]);
}

/// The running query is interrupted. Queued lookups complete.
#[tokio::test]
async fn cancelled_lookup_affects_no_other() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder);
    let store = SqliteStore::builder(&path).max_connections(1).open().unwrap();
    for round in 0..20 {
        database.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let mut asking: Vec<_> =
            (0..8).map(|number| Box::pin(ask(&store, question(4 * number).0))).collect();
        for asking in &mut asking {
            assert_eq!(asking.now_or_never(), None);
        }
        drop(asking.remove(round % 8));
        database.execute_batch("COMMIT").unwrap();
        for answer in join_all(asking).await {
            assert!(answer.starts_with('u'), "{answer}");
        }
    }
}

/// Otherwise the only thread would continue an orphaned query.
#[tokio::test]
async fn abandoned_query_is_interrupted() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder);
    slow_down(&database);
    let builder = SqliteStore::builder(&path).max_connections(1);
    let store = builder.query_timeout(PATIENCE).open().unwrap();
    let mut slow = asked(&store, 3);
    let quick: Vec<_> = (4..10).map(|user| asked(&store, user)).collect();
    let under_way = tokio::time::timeout(Duration::from_millis(50), &mut slow).await;
    assert!(under_way.is_err(), "{under_way:?}");
    drop(slow);
    for answer in join_all(quick).await {
        assert!(answer.starts_with('u'), "{answer}");
    }
}

/// A store that several runtimes share survives the end of one of them.
#[test]
fn ending_runtime_affects_no_other() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder);
    let store = SqliteStore::builder(&path).max_connections(1).open().unwrap();
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let lasting = runtime();
    for _ in 0..10 {
        database.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let ending = runtime();
        for number in 0..8 {
            let store = store.clone();
            ending.spawn(async move { ask(&store, question(4 * number).0).await });
        }
        let others: Vec<_> = (0..8)
            .map(|number| {
                let store = store.clone();
                lasting.spawn(async move { ask(&store, question(4 * number).0).await })
            })
            .collect();
        ending.shutdown_background();
        database.execute_batch("COMMIT").unwrap();
        for answer in lasting.block_on(join_all(others)) {
            assert!(answer.unwrap().starts_with('u'));
        }
    }
}

#[tokio::test]
async fn deadline_is_kept() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder);
    slow_down(&database);
    let builder = SqliteStore::builder(&path).max_connections(1);
    let store = builder.query_timeout(Duration::from_millis(200)).open().unwrap();
    // Queued lookups have the same deadline, and complete if time is left.
    let asking: Vec<_> = [3, 4, 5].map(|user| asked(&store, user)).into();
    let answers = join_all(asking).await;
    assert_eq!(answers.first().map(String::as_str), Some("Timeout"));
    assert_eq!(ask(&store, question(0).0).await, "u1 s_u1");
}

/// The slow lookup is first in the queue, and the fast ones start while both threads are busy.
#[tokio::test]
async fn slow_lookup_blocks_no_other() {
    let folder = TemporaryFolder::new();
    let (database, path) = database(&folder);
    slow_down(&database);
    let builder = SqliteStore::builder(&path).max_connections(2);
    let store = builder.query_timeout(PATIENCE).open().unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut quick = vec![asked(&store, 1), asked(&store, 2)];
    let slow = asked(&store, 3);
    quick.extend((4..40).map(|user| asked(&store, user)));
    database.execute_batch("COMMIT").unwrap();
    tokio::select! {
        answers = join_all(quick) => assert!(answers.iter().all(|answer| answer.starts_with('u'))),
        answer = slow => panic!("it was not slow: {answer}"),
    }
}

//! Prepared statements are used only where they are safe.

use cluster::{Database, PoolMode, Pooler};
use support::prelude::*;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::fixtures::{
    Lock, answers, ask, begin, hundred_users, questions, tables, talkative_server,
};

async fn connected(url: &str, statements: StatementMode) -> PostgresStore {
    let store = PostgresStore::builder(url).statement_mode(statements);
    let store = store.query_timeout(std::time::Duration::from_secs(60));
    store.connect().await.unwrap()
}

fn by_email(number: usize) -> Lookup<'static> {
    Lookup::by_email(format!("user{number}@example.com"), now())
}

async fn one_after_the_other(store: &PostgresStore) {
    for number in 0..20 {
        let answer = ask(store, by_email(number)).await;
        assert_eq!(answer, format!("usr_{number} ses_{number}"));
    }
}

async fn all_at_once(store: &PostgresStore, database: &Database) {
    let lock = Lock::on(database).await;
    let crowd = begin(store, (0..100).map(by_email).collect());
    lock.waiting(1).await;
    lock.release().await;
    for (number, answer) in answers(crowd).await.into_iter().enumerate() {
        assert_eq!(answer, format!("usr_{number} ses_{number}"));
    }
}

#[tokio::test]
async fn direct_connections_prepare() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    for (statements, are_prepared) in [
        (StatementMode::Auto, true),
        (StatementMode::Prepared, true),
        (StatementMode::Unprepared, false),
    ] {
        let store = connected(database.url(), statements).await;
        let from = server.log().len();
        one_after_the_other(&store).await;
        all_at_once(&store, &database).await;
        let asked = questions(&server, from);
        let all = asked.alone + asked.together;
        assert!(asked.together > 0 && all >= 21, "{statements:?}");
        let prepared = if are_prepared { all } else { 0 };
        assert_eq!(asked.prepared, prepared, "{statements:?}");
    }
}

#[tokio::test]
async fn column_type_change_is_survived() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = connected(database.url(), StatementMode::Auto).await;
    one_after_the_other(&store).await;
    // The statements were prepared for the old type.
    for (kind, id) in [("varchar(40)", "usr_1"), ("text", "usr_1")] {
        database
            .execute(&format!(
                r#"ALTER TABLE "user" ALTER "id" TYPE {kind}; ALTER TABLE "session" ALTER "userId" TYPE {kind}"#
            ))
            .await;
        let answer = ask(&store, Lookup::by_user_id(id, now())).await;
        assert_eq!(answer, "usr_1 ses_1", "{kind}");
    }
}

#[tokio::test]
async fn pooled_connections_do_not_prepare() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    for mode in [PoolMode::Transaction, PoolMode::Session] {
        let pooler = Pooler::start(&server, mode, 8).await;
        let store = connected(&pooler.url(&database), StatementMode::Auto).await;
        let from = server.log().len();
        one_after_the_other(&store).await;
        all_at_once(&store, &database).await;
        let asked = questions(&server, from);
        assert!(asked.alone >= 20 && asked.together > 0, "{mode:?}");
        assert_eq!(asked.prepared, 0, "{mode:?}");
    }
}

/// Two services with separate tables behind one pooler. Both drivers name their statements s0, s1
/// and so on, and the pooler assigns each transaction to any free connection.
#[tokio::test]
async fn foreign_statement_name_is_harmless() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let theirs = format!("CREATE SCHEMA theirs; SET search_path = theirs; {}", tables("text"));
    database
        .execute(&format!(
            r#"{theirs}
            INSERT INTO "user" ("id", "email") VALUES ('usr_theirs', 'user7@example.com');
            INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                VALUES ('ses_theirs', 'usr_theirs', 'tok_theirs', to_timestamp({}))"#,
            support::test_clock::NOW + 60,
        ))
        .await;
    for (statements, expected) in [
        // The failure mode: no error, but a different user.
        (StatementMode::Prepared, "usr_theirs ses_theirs"),
        (StatementMode::Auto, "usr_7 ses_7"),
        (StatementMode::Unprepared, "usr_7 ses_7"),
    ] {
        let pooler = Pooler::start(&server, PoolMode::Transaction, 2).await;
        let url = pooler.url(&database);
        let (ours, theirs) = (client(&url).await, client(&url).await);
        // PgBouncer reuses the most recently returned connection, which is ours.
        ours.batch_execute("BEGIN").await.unwrap();
        theirs.batch_execute("BEGIN").await.unwrap();
        theirs.batch_execute("COMMIT").await.unwrap();
        ours.batch_execute("COMMIT").await.unwrap();
        let store = connected(&url, statements).await;
        one_after_the_other(&store).await;
        ours.batch_execute("BEGIN").await.unwrap();
        theirs.batch_execute("BEGIN").await.unwrap();
        prepare_the_same(&ours, &theirs).await;
        theirs.batch_execute("COMMIT").await.unwrap();
        assert_eq!(ask(&store, by_email(7)).await, expected, "{statements:?}");
        ours.batch_execute("COMMIT").await.unwrap();
    }
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Prepares a statement of the same name on two connections, for the tables of two schemas.
async fn prepare_the_same(ours: &Client, theirs: &Client) {
    let prepared = ours
        .simple_query(
            "SELECT name, statement, array_to_string(parameter_types, ', ') FROM pg_prepared_statements",
        )
        .await
        .unwrap();
    for row in prepared.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }) {
        let (name, statement, types) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        let theirs_instead = statement.replace(r#"FROM ""#, r#"FROM theirs.""#);
        assert_ne!(theirs_instead, statement);
        theirs
            .batch_execute(&format!("PREPARE \"{name}\" ({types}) AS {theirs_instead}"))
            .await
            .unwrap();
    }
}

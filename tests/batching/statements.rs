//! Prepared statements: where they are safe, and nowhere else.

use better_auth_layer::{Lookup, PostgresStore, Statements};
use support::postgres::Database;

use crate::world::{Lock, answers, ask, begin, hundred_users, now, questions, talkative_server};

async fn connected(url: &str, statements: Statements) -> PostgresStore {
    let store = PostgresStore::builder(url).statements(statements);
    let store = store.deadline(std::time::Duration::from_secs(60));
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
async fn statements_are_prepared_on_a_direct_connection_unless_told_otherwise() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    for (statements, are_prepared) in [
        (Statements::Auto, true),
        (Statements::Prepared, true),
        (Statements::Typed, false),
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
async fn a_column_that_changes_its_type_under_prepared_statements_costs_no_answer() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = connected(database.url(), Statements::Auto).await;
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

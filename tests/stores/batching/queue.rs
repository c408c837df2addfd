//! Which lookups run at once, which are queued, and for how long.

use super::fixtures::{
    Lock, answers, ask, begin, hundred_users, questions, settle, store, talkative_server,
};
use support::prelude::*;

fn by_email(number: usize) -> Lookup<'static> {
    Lookup::by_email(format!("user{number}@example.com"), now())
}

fn found(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let numbers = numbers.into_iter();
    numbers.map(|n| format!("usr_{n} ses_{n}")).collect()
}

#[tokio::test]
async fn load_decides_the_batch_size() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).max_in_flight(4).connect().await.unwrap();
    let lock = Lock::on(&database).await;
    let from = server.log().len();
    // As many as may be in flight.
    let few = begin(&store, (0..8).map(by_email).collect());
    lock.waiting(2).await;
    let crowd = begin(&store, (8..100).map(by_email).collect());
    settle().await;
    lock.release().await;
    assert_eq!(answers(few).await, found(0..8));
    assert_eq!(answers(crowd).await, found(8..100));
    let asked = questions(&server, from);
    assert!(asked.alone <= 8, "{} alone", asked.alone);
    assert!((1..=3).contains(&asked.together), "{}", asked.together);

    // Sequential lookups are not batched.
    let from = server.log().len();
    for number in 0..5 {
        ask(&store, by_email(number)).await;
    }
    let asked = questions(&server, from);
    assert_eq!((asked.alone, asked.together), (5, 0));
}

#[tokio::test]
async fn large_batch_is_split() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).batch_connections(1).max_in_flight(1).connect().await.unwrap();
    let lock = Lock::on(&database).await;
    let from = server.log().len();
    let crowd = begin(&store, (0..1001).map(|n| by_email(n % 100)).collect());
    lock.waiting(1).await;
    lock.release().await;
    assert_eq!(answers(crowd).await, found((0..1001).map(|n| n % 100)));
    let asked = questions(&server, from);
    assert_eq!((asked.alone, asked.together), (1, 4));
}

#[tokio::test]
async fn queue_is_bounded() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).batch_connections(1).max_in_flight(1).queue_capacity(3);
    let store = store.connect().await.unwrap();
    assert_eq!(ask(&store, by_email(0)).await, "usr_0 ses_0");
    let lock = Lock::on(&database).await;
    let crowd = begin(&store, (0..4).map(by_email).collect());
    lock.waiting(1).await;
    let error = store.resolve(by_email(4)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(with_causes(&error).contains("too many lookups"), "{error:?}");
    // The readiness check is not queued.
    lock.release().await;
    store.ready().await.unwrap();
    assert_eq!(answers(crowd).await, found(0..4));
}

#[tokio::test]
async fn cancelled_lookup_is_skipped() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).batch_connections(1).max_in_flight(1).connect().await.unwrap();
    let lock = Lock::on(&database).await;
    let first = begin(&store, vec![by_email(0)]);
    lock.waiting(1).await;
    let stays = begin(&store, (1..4).map(by_email).collect());
    let mut leaves = begin(&store, vec![by_email(77)]);
    settle().await;
    leaves.abort_all();
    while leaves.join_next().await.is_some() {}
    lock.release().await;
    assert_eq!(answers(first).await, found(0..1));
    assert_eq!(answers(stays).await, found(1..4));
    // The server logs parameters as well.
    let log = server.log();
    assert!(log.contains("user3@example.com") && !log.contains("user77@example.com"));
}

#[tokio::test]
async fn deadlines_are_independent() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).query_timeout(Duration::from_secs(2));
    let store = store.batch_connections(1).max_in_flight(1).connect().await.unwrap();
    assert_eq!(ask(&store, by_email(0)).await, "usr_0 ses_0");
    let lock = Lock::on(&database).await;
    let crowd = begin(&store, (0..20).map(by_email).collect());
    let kinds = answers(crowd).await;
    assert!(
        kinds.iter().all(|answer| answer.starts_with("failed: the user store did not answer")),
        "{kinds:?}"
    );
    lock.release().await;
    assert_eq!(ask(&store, by_email(1)).await, "usr_1 ses_1");
}

#[tokio::test]
async fn invalid_limits_are_rejected() {
    use PostgresStore;

    let builder = || PostgresStore::builder("postgres://u@localhost/d");
    for (builder, setting) in [
        (builder().batch_connections(0), "batch_connections"),
        (builder().batch_connections(65), "batch_connections"),
        (builder().max_in_flight(0), "max_in_flight"),
        (builder().max_in_flight(65), "max_in_flight"),
        (builder().queue_capacity(0), "queue_capacity"),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(setting), "{error}");
    }
    builder().batch_connections(64).max_in_flight(64).max_connections(1).build().unwrap();
}

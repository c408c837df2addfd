//! Connections that break or are stuck while a batch is under way.

use better_auth_layer::Lookup;

use crate::world::{
    Lock, answers, ask, begin, hundred_users, now, settle, store, talkative_server,
};

fn by_id(number: usize) -> Lookup<'static> {
    Lookup::by_user_id(format!("usr_{number}"), now())
}

#[tokio::test]
async fn those_whose_connection_is_ended_are_asked_for_again() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database)
        .lanes(2)
        .in_flight(1)
        .connect()
        .await
        .unwrap();
    let lock = Lock::on(&database).await;
    let first = begin(&store, (0..2).map(by_id).collect());
    let before = lock.waiting(2).await;
    let crowd = begin(&store, (2..60).map(by_id).collect());
    settle().await;
    // First those who went alone, and then, over and over, whoever waits for the lock.
    for process in before {
        lock.terminate(process).await;
    }
    settle().await;
    lock.waiting(2).await;
    lock.release().await;
    for (n, answer) in answers(first)
        .await
        .into_iter()
        .chain(answers(crowd).await)
        .enumerate()
    {
        assert_eq!(answer, format!("usr_{n} ses_{n}"));
    }
}

#[tokio::test]
async fn a_batch_whose_connection_is_ended_is_asked_again() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database)
        .lanes(1)
        .in_flight(1)
        .connect()
        .await
        .unwrap();
    // Its statement is prepared, so that it needs the lock once.
    assert_eq!(ask(&store, by_id(0)).await, "usr_0 ses_0");
    let lock = Lock::on(&database).await;
    let first = begin(&store, vec![by_id(0)]);
    lock.waiting(1).await;
    let crowd = begin(&store, (1..60).map(by_id).collect());
    settle().await;
    // The next lock is in the queue before the batch is.
    let next = database.client().await;
    let next_lock = tokio::spawn(async move {
        next.batch_execute(r#"BEGIN; LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE"#)
            .await
            .unwrap();
        Lock::of(next)
    });
    lock.waiting(2).await;
    lock.release().await;
    assert_eq!(answers(first).await, ["usr_0 ses_0"]);
    let lock = next_lock.await.unwrap();
    let batch = lock.waiting(1).await;
    lock.terminate(batch[0]).await;
    while lock.waiting(1).await == batch {
        settle().await;
    }
    lock.release().await;
    for (n, answer) in answers(crowd).await.into_iter().enumerate() {
        assert_eq!(answer, format!("usr_{0} ses_{0}", n + 1));
    }
}

/// The name of one user is read through a function that waits for a lock.
#[tokio::test]
async fn a_lookup_that_is_stuck_holds_up_nobody_on_the_other_lane() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    database
        .execute(
            r#"CREATE FUNCTION "name_of"("id" text) RETURNS text LANGUAGE plpgsql VOLATILE AS
                $$ BEGIN IF "id" = 'usr_7' THEN PERFORM pg_advisory_xact_lock_shared(1); END IF; RETURN 'somebody'; END $$;
            ALTER TABLE "user" RENAME TO "people";
            CREATE VIEW "user" AS SELECT "id", "email", "banned", "name_of"("id") AS "name" FROM "people""#,
        )
        .await;
    let store = store(&database).connect().await.unwrap();
    assert_eq!(ask(&store, by_id(7)).await, "usr_7 ses_7");
    let holder = database.client().await;
    holder
        .batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .unwrap();
    let lock = Lock::of(holder);
    let stuck = begin(&store, vec![by_id(7)]);
    lock.waiting(1).await;
    // What is behind the one that is stuck, on the same connection, waits with it; nothing is put there once it is slow.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    for round in 0..3 {
        let crowd = begin(&store, (0..100).filter(|n| *n != 7).map(by_id).collect());
        let answers = answers(crowd).await;
        assert!(
            answers.iter().all(|answer| answer.starts_with("usr_")),
            "{round}: {answers:?}"
        );
    }
    lock.execute("SELECT pg_advisory_unlock(1)").await;
    assert_eq!(answers(stuck).await, ["usr_7 ses_7"]);
}

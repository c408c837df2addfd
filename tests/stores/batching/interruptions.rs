//! Connections that break or hang while a batch is in flight.

use std::pin::Pin;
use std::task::{Context, Poll};
use support::prelude::*;

use super::fixtures::{Lock, answers, ask, begin, hundred_users, settle, store, talkative_server};

fn by_id(number: usize) -> Lookup<'static> {
    Lookup::by_user_id(format!("usr_{number}"), now())
}

#[tokio::test]
async fn ended_connection_is_retried() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).batch_connections(2).max_in_flight(1).connect().await.unwrap();
    let lock = Lock::on(&database).await;
    let first = begin(&store, (0..2).map(by_id).collect());
    let before = lock.waiting(2).await;
    let crowd = begin(&store, (2..60).map(by_id).collect());
    settle().await;
    // First the connections of single lookups, and then each one that waits for the lock.
    for process in before {
        lock.terminate(process).await;
    }
    settle().await;
    lock.waiting(2).await;
    lock.release().await;
    for (n, answer) in answers(first).await.into_iter().chain(answers(crowd).await).enumerate() {
        assert_eq!(answer, format!("usr_{n} ses_{n}"));
    }
}

#[tokio::test]
async fn ended_batch_is_retried() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).batch_connections(1).max_in_flight(1).connect().await.unwrap();
    // The statement is prepared, so it needs the lock only once.
    assert_eq!(ask(&store, by_id(0)).await, "usr_0 ses_0");
    let lock = Lock::on(&database).await;
    let first = begin(&store, vec![by_id(0)]);
    lock.waiting(1).await;
    let crowd = begin(&store, (1..60).map(by_id).collect());
    settle().await;
    // The next lock is queued before the batch.
    let next = database.client().await;
    let next_lock = tokio::spawn(async move {
        next.batch_execute(r#"BEGIN; LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE"#).await.unwrap();
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

/// The name of one user is computed by a function that waits for a lock.
#[tokio::test]
async fn stuck_query_blocks_no_other() {
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
    holder.batch_execute("SELECT pg_advisory_lock(1)").await.unwrap();
    let lock = Lock::of(holder);
    let stuck = begin(&store, vec![by_id(7)]);
    lock.waiting(1).await;
    // Lookups behind the stuck query on the same connection wait. A slow connection gets no new
    // lookups.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    for round in 0..3 {
        let crowd = begin(&store, (0..100).filter(|n| *n != 7).map(by_id).collect());
        let answers = answers(crowd).await;
        assert!(answers.iter().all(|answer| answer.starts_with("usr_")), "{round}: {answers:?}");
    }
    lock.execute("SELECT pg_advisory_unlock(1)").await;
    assert_eq!(answers(stuck).await, ["usr_7 ses_7"]);
}

/// A future that is dropped after a number of wake-ups.
struct Leaving<F> {
    future: Option<Pin<Box<F>>>,
    waits: usize,
}

impl<F: Future> Future for Leaving<F> {
    /// `None` if the future was dropped.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.future.as_mut().unwrap();
        if let Poll::Ready(answer) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(answer));
        }
        self.waits -= 1;
        if self.waits > 0 {
            return Poll::Pending;
        }
        self.future = None;
        Poll::Ready(None)
    }
}

/// From a new store, which must connect and resolve its tables, to a store whose queue is full.
#[tokio::test]
async fn cancelled_lookup_affects_no_other() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    for is_new in [true, false] {
        let mut places = 0;
        for waits in 1.. {
            let store = store(&database).batch_connections(1).max_in_flight(1).queue_capacity(3);
            let store = store.build().unwrap();
            let mut first = begin(&store, Vec::new());
            if !is_new {
                assert_eq!(ask(&store, by_id(0)).await, "usr_0 ses_0");
                first = begin(&store, vec![by_id(0)]);
                settle().await;
            }
            let leaving = Leaving { future: Some(Box::pin(ask(&store, by_id(77)))), waits };
            let answer = leaving.await;
            // One lookup is in flight and the queue is full: every slot is usable.
            let crowd = begin(&store, (1..4).map(by_id).collect());
            for (n, answer) in answers(crowd).await.into_iter().enumerate() {
                assert_eq!(answer, format!("usr_{0} ses_{0}", n + 1), "{waits}");
            }
            assert!(answers(first).await.iter().all(|answer| answer == "usr_0 ses_0"));
            match answer {
                None => places += 1,
                Some(answer) => {
                    assert_eq!(answer, "usr_77 ses_77");
                    break;
                }
            }
        }
        assert!(places >= 1, "it never had to wait");
    }
}

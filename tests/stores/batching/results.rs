//! The results of batched lookups.

use super::fixtures::{Lock, answers, begin, hundred_users, questions, store, talkative_server};
use support::prelude::*;

fn by_token(token: &str) -> Lookup<'static> {
    Lookup::by_session_token(&SessionToken::new(token), now()).into_owned()
}

fn by_api_key(hash: &str) -> Lookup<'static> {
    Lookup::by_api_key(&ApiKeyHash::from_stored(hash), now()).into_owned()
}

#[tokio::test]
async fn every_caller_gets_its_result() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    let store = store(&database).queue_capacity(10_000);
    let store = store.connect().await.unwrap();
    let mut asked = Vec::new();
    for n in 0..100 {
        let (user, email) = (format!("usr_{n}"), format!("user{n}@example.com"));
        let (own, other) = (format!("ses_{n}"), format!("ses_{}", (n + 1) % 100));
        let found = format!("{user} {own}");
        for (lookup, answer) in [
            (Lookup::by_email(email.clone(), now()), found.clone()),
            (Lookup::by_email(email.to_uppercase(), now()), found.clone()),
            (Lookup::by_user_id(user.clone(), now()), found.clone()),
            (by_token(&format!("tok_{n}")), found.clone()),
            (by_api_key(&format!("hash_{n}")), format!("{user} key_{n}")),
            (Lookup::by_email(email.clone(), now()).with_session_id(own.clone()), found.clone()),
            (Lookup::by_user_id(user.clone(), now()).with_session_id(own.clone()), found.clone()),
            (by_token(&format!("tok_{n}")).with_session_id(own), found),
            (
                Lookup::by_email(email.clone(), now()).with_session_id(other.clone()),
                "no session".to_owned(),
            ),
            (
                Lookup::by_user_id(user.clone(), now()).with_session_id(other),
                "no session".to_owned(),
            ),
            (
                Lookup::by_user_id(
                    user.clone(),
                    now().saturating_add(std::time::Duration::from_secs(61)),
                ),
                "no session".to_owned(),
            ),
            (Lookup::by_user_id(format!("{user}\0"), now()), "no user".to_owned()),
            (Lookup::by_user_id(user, now()).with_session_id("\0"), "no session".to_owned()),
            (Lookup::by_email(format!("{email}\0"), now()), "no user".to_owned()),
            (by_token("\0"), "no session".to_owned()),
            (Lookup::by_email("nobody@example.com", now()), "no user".to_owned()),
            (by_token("tok_nobody"), "no session".to_owned()),
            (by_api_key("hash_nobody"), "no key".to_owned()),
        ] {
            asked.push((lookup, answer));
        }
    }
    // The lookups are not ordered by kind.
    let (lookups, wanted): (Vec<_>, Vec<_>) =
        (0..asked.len()).map(|index| asked[index * 7 % asked.len()].clone()).unzip();
    let lock = Lock::on(&database).await;
    let from = server.log().len();
    let crowd = begin(&store, lookups.clone());
    lock.waiting(2).await;
    lock.release().await;
    let given = answers(crowd).await;
    for ((given, wanted), lookup) in given.iter().zip(&wanted).zip(&lookups) {
        assert_eq!(given, wanted, "{lookup:?}");
    }
    let asked = questions(&server, from);
    assert!(asked.together > 0);
}

/// If one lookup of a batch fails, only its caller gets the error, and never "not found".
#[tokio::test]
async fn failed_batch_is_split() {
    let server = talkative_server().await;
    let database = hundred_users(&server).await;
    database
        .execute(
            r#"ALTER TABLE "user" RENAME TO "people";
            CREATE VIEW "user" AS SELECT "id", "email", "banned",
                CASE "id" WHEN 'usr_7' THEN (1 / length(substr("name", 1, 0)))::text ELSE "name" END AS "name" FROM "people""#,
        )
        .await;
    let store = store(&database).batch_connections(1).max_in_flight(1).connect().await.unwrap();
    let lock = Lock::on_table(&database, "people").await;
    let from = server.log().len();
    let lookups = (0..20).map(|n| Lookup::by_user_id(format!("usr_{n}"), now()));
    let crowd = begin(&store, lookups.collect());
    lock.waiting(1).await;
    lock.release().await;
    for (n, answer) in answers(crowd).await.iter().enumerate() {
        if n == 7 {
            assert!(answer.starts_with("failed: the user store is unavailable"), "{answer}");
        } else {
            assert_eq!(*answer, format!("usr_{n} ses_{n}"));
        }
    }
    assert!(questions(&server, from).alone >= 19);
}

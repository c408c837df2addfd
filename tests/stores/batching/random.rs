//! Batched and single lookups return the same results.

use cluster::cluster;
use support::prelude::*;
use support::rng::Rng;

use super::fixtures::{Lock, answers, ask, begin, store, tables};

const USERS: u64 = 12;

fn id(kind: &str, number: u64) -> String {
    match kind {
        "uuid" => format!("0b5ef5a1-93c2-4b1c-8a55-1f0f5a4e{number:04x}"),
        "text" => format!("id_{number}"),
        _ => number.to_string(),
    }
}

/// Few emails, so that some differ in case only, and some have two users.
fn address(rng: &mut Rng) -> String {
    let name = rng.one_of(&["ada", "Ada", "ADA", "eve", "Eve", "bob", "zoe", "Zoé", "ß"]);
    format!("{name}@example.com")
}

fn some_id(kind: &str, rng: &mut Rng, most: u64) -> String {
    let real = id(kind, rng.below(most));
    match rng.below(8) {
        0 => real.to_uppercase(),
        1 => format!("0{real}"),
        2 => format!("{real} "),
        3 => rng
            .one_of(&["", "\0", "-1", "99999999999999999999", "2147483648", "32768", "NaN", "x"])
            .to_owned(),
        _ => real,
    }
}

fn lookup(kind: &str, rng: &mut Rng) -> Lookup<'static> {
    let now = now().saturating_add(Duration::from_secs(rng.below(5)));
    let lookup = match rng.below(3) {
        0 => Lookup::by_email(address(rng), now),
        1 => Lookup::by_user_id(some_id(kind, rng, USERS + 2), now),
        _ => {
            let token = SessionToken::new(format!("tok_{}", rng.below(USERS * 3 + 2)));
            Lookup::by_session_token(&token, now).into_owned()
        }
    };
    match rng.below(3) {
        0 => lookup.with_session_id(some_id(kind, rng, USERS * 3 + 2)),
        _ => lookup,
    }
}

#[tokio::test]
async fn batched_results_match_single_ones() {
    for (seed, kind) in ["text", "varchar(40)", "uuid", "smallint", "integer", "bigint", "numeric"]
        .into_iter()
        .enumerate()
    {
        let mut rng = Rng::new(0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1));
        let kind_of_id = kind.split('(').next().unwrap();
        let kind_of_id = if kind_of_id == "varchar" { "text" } else { kind_of_id };
        let database = cluster().await.create_database().await;
        database.execute(&tables(kind)).await;
        let mut rows = String::new();
        for user in 0..USERS {
            rows += &format!(
                r#"INSERT INTO "user" ("id", "email") VALUES ('{}', '{}');"#,
                id(kind_of_id, user),
                address(&mut rng)
            );
        }
        for session in 0..USERS * 3 {
            rows += &format!(
                r#"INSERT INTO "session" ("id", "userId", "token", "expiresAt", "impersonatedBy")
                    VALUES ('{}', '{}', 'tok_{}', to_timestamp({}), {});"#,
                id(kind_of_id, session),
                id(kind_of_id, rng.below(USERS + 1)),
                rng.below(USERS * 3),
                NOW + i64::try_from(rng.below(6)).unwrap() - 1,
                rng.one_of(&["NULL", "NULL", "'admin'"]),
            );
        }
        database.execute(&rows).await;
        let store = store(&database).batch_connections(1).max_in_flight(1).connect().await.unwrap();
        let lookups: Vec<_> = (0..400).map(|_| lookup(kind_of_id, &mut rng)).collect();
        let mut alone = Vec::new();
        for lookup in &lookups {
            alone.push(ask(&store, lookup.clone()).await);
        }
        let lock = Lock::on(&database).await;
        let crowd = begin(&store, lookups.clone());
        lock.waiting(1).await;
        lock.release().await;
        let together = answers(crowd).await;
        for ((together, alone), lookup) in together.iter().zip(&alone).zip(&lookups) {
            assert_eq!(together, alone, "{kind}, seed {seed}: {lookup:?}");
        }
        // All kinds of results occur.
        for answer in ["no user", "no session", "failed"] {
            assert!(alone.iter().any(|given| given.starts_with(answer)), "{kind}: {answer}");
        }
        assert!(alone.iter().filter(|given| !given.starts_with("no ")).count() > 50);
    }
}

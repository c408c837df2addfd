//! How long keys are trusted, and how often they are fetched.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use better_auth_layer::JwksOptions;
use support::key_server::Reply;
use support::signer::{Signer, jwks};

use super::world::{PATIENCE, World, good};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn many_requests_at_once_are_one_fetch() {
    let world = Arc::new(World::new(good).await);
    let requests: Vec<_> = (0..200)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.assert_passes("cold").await })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(world.server.hits(), 1);
}

#[tokio::test]
async fn random_key_ids_fetch_nothing_more_and_hold_up_nobody() {
    let world = Arc::new(World::warm().await);
    world.clock.advance(MINUTE);
    let served = Arc::new(AtomicUsize::new(0));
    let strangers = (0..2_000).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut header = world.signer.header();
            header["kid"] = format!("random-{number}").into();
            let claims = support::signer::claims("usr_ada").to_string();
            let token = world.signer.sign_raw(&header, &claims);
            world.assert_refused("a random kid", &token).await;
        })
    });
    let known = (0..200).map(|_| {
        let (world, served) = (Arc::clone(&world), Arc::clone(&served));
        tokio::spawn(async move {
            world.assert_passes("a known kid meanwhile").await;
            served.fetch_add(1, Ordering::SeqCst);
        })
    });
    let tasks: Vec<_> = strangers.chain(known).collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(served.load(Ordering::SeqCst), 200);
    // The one to begin with, and one for all of them.
    assert_eq!(world.server.hits(), 2);
}

#[tokio::test]
async fn a_rotation_is_noticed_at_once_or_after_the_cooldown() {
    let world = World::warm().await;
    let next = Signer::ed25519("next");
    world
        .server
        .reply(Reply::Body(jwks([&world.signer, &next])));
    // Right after a fetch nobody asks again.
    let token = next.token_for("usr_ada");
    world.clock.advance(30 * SECOND - Duration::from_millis(1));
    world.assert_refused("within the cooldown", &token).await;
    assert_eq!(world.server.hits(), 1);
    world.clock.advance(Duration::from_millis(1));
    let answer = world.send(&token).await;
    answer.assert_identity("after it", "usr_ada", "ses_ada");
    world.assert_passes("with the old key").await;
    assert_eq!(world.server.hits(), 2);
}

#[tokio::test]
async fn a_rotation_in_mid_load_costs_no_request_with_the_old_key() {
    let world = Arc::new(World::warm().await);
    let next = Arc::new(Signer::ed25519("next"));
    world.clock.advance(MINUTE);
    world
        .server
        .reply(Reply::Body(jwks([&world.signer, &next])));
    let requests: Vec<_> = (0..400)
        .map(|number| {
            let (world, next) = (Arc::clone(&world), Arc::clone(&next));
            tokio::spawn(async move {
                let signer = if number % 2 == 0 {
                    &next
                } else {
                    &world.signer
                };
                let answer = world.send(&signer.token_for("usr_ada")).await;
                answer.assert_identity("in mid-load", "usr_ada", "ses_ada");
            })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(world.server.hits(), 2);
}

#[tokio::test]
async fn keys_are_fetched_again_beside_the_request_that_finds_them_old() {
    let world = World::warm().await;
    world.clock.advance(5 * MINUTE - SECOND);
    world.assert_passes("young").await;
    assert_eq!(world.server.hits(), 1);
    // Nobody waits for the second one: it never comes.
    world.server.reply(Reply::Silence);
    world.clock.advance(SECOND);
    world.assert_passes("old").await;
    world.wait_for_hits(2).await;
    world.assert_passes("old, while it hangs").await;
}

#[tokio::test]
async fn a_key_that_left_the_set_is_refused_from_the_next_fetch_on() {
    let world = World::warm().await;
    let next = Signer::ed25519("next");
    world.server.reply(Reply::Body(jwks([&next])));
    world.clock.advance(5 * MINUTE);
    world.assert_passes("the last time").await;
    world.wait_for_hits(2).await;
    let answer = world.send(&next.token_for("usr_ada")).await;
    answer.assert_identity("the next key", "usr_ada", "ses_ada");
    let old = world.signer.token_for("usr_ada");
    world.assert_refused("the old one", &old).await;
}

#[tokio::test]
async fn in_an_outage_keys_serve_for_an_hour_and_then_nobody_can_tell() {
    let world = World::warm().await;
    world.server.reply(Reply::Nothing);
    let claims = support::signer::claims_with(
        "usr_ada",
        &serde_json::json!({ "exp": support::test_clock::NOW + 100_000 }),
    );
    let token = world.signer.sign(&claims);
    for _ in 0..12 {
        world.clock.advance(5 * MINUTE);
        let answer = world.send(&token).await;
        answer.assert_identity("within the hour", "usr_ada", "ses_ada");
    }
    world.clock.advance(Duration::from_millis(1));
    world.assert_unavailable("past it", &token).await;
    world.server.reply(good(&world.signer));
    world.clock.advance(SECOND);
    let answer = world.send(&token).await;
    answer.assert_identity("afterwards", "usr_ada", "ses_ada");
}

#[tokio::test]
async fn after_a_failure_nobody_asks_for_a_second() {
    let world = World::new(|_| Reply::Nothing).await;
    let token = world.signer.token_for("usr_ada");
    world.assert_unavailable("cold", &token).await;
    let hits = world.server.hits();
    world.server.reply(good(&world.signer));
    for _ in 0..20 {
        world.assert_unavailable("right after", &token).await;
    }
    world.clock.advance(SECOND - Duration::from_millis(1));
    world
        .assert_unavailable("nearly a second after", &token)
        .await;
    assert_eq!(world.server.hits(), hits);
    world.clock.advance(Duration::from_millis(1));
    world.assert_passes("a second after").await;
}

#[tokio::test]
async fn wall_time_that_jumps_does_not_age_keys() {
    let world = World::warm().await;
    world.server.reply(Reply::Nothing);
    for seconds in [-100_000, 100_000] {
        let claims = support::signer::claims_with(
            "usr_ada",
            &serde_json::json!({ "exp": support::test_clock::NOW + 1_000_000 }),
        );
        world.clock.set_wrong_by(seconds);
        let answer = world.send(&world.signer.sign(&claims)).await;
        answer.assert_identity("a wrong clock", "usr_ada", "ses_ada");
    }
    assert_eq!(world.server.hits(), 1);
}

#[tokio::test]
async fn a_request_that_is_dropped_takes_no_other_with_it() {
    let options = JwksOptions::new().fetch_timeout(PATIENCE);
    let world = Arc::new(World::with(|_| Reply::Silence, options).await);
    let first = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.assert_passes("never").await })
    };
    world.wait_for_hits(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    // The fetch goes on without it: nobody begins another.
    let second = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.send(&world.signer.token_for("usr_ada")).await })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!second.is_finished());
    assert_eq!(world.server.hits(), 1);
    second.abort();
}

#[tokio::test]
async fn a_token_that_is_bad_whatever_its_signature_is_so_without_keys() {
    let world = World::new(|_| Reply::Nothing).await;
    let good = world.signer.token_for("usr_ada");
    for (what, changes) in [
        (
            "expired",
            serde_json::json!({ "exp": support::test_clock::NOW }),
        ),
        (
            "another issuer",
            serde_json::json!({ "iss": "https://other.example" }),
        ),
        (
            "another audience",
            serde_json::json!({ "aud": "https://other.example" }),
        ),
        ("no subject", serde_json::json!({ "sub": null })),
        ("of a client", serde_json::json!({ "azp": "client" })),
    ] {
        let claims = support::signer::claims_with("usr_ada", &changes);
        world
            .assert_refused(what, &world.signer.sign(&claims))
            .await;
        world.assert_unavailable("a good one", &good).await;
    }
}

#[tokio::test]
async fn after_a_fetch_that_failed_an_unknown_key_is_nobodys_verdict() {
    let world = World::warm().await;
    world.server.reply(Reply::Nothing);
    world.clock.advance(MINUTE);
    let other = Signer::ed25519("other").token_for("usr_ada");
    world
        .assert_unavailable("the one that fetches", &other)
        .await;
    let hits = world.server.hits();
    world
        .assert_unavailable("the next one, at once", &other)
        .await;
    assert_eq!(world.server.hits(), hits);
    world.assert_passes("a known key").await;
}

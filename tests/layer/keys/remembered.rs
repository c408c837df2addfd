//! A token that was verified is not verified again, and is refused as soon as it would be.

use std::time::Duration;

use better_auth_layer::{RejectionKind, RemoteKeySource};
use serde_json::json;
use support::gate::Gate;
use support::key_server::Reply;
use support::signer::{Signer, claims_with, jwks};
use support::test_clock::{NOW, TestClock};

use super::world::{World, builder};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn it_ends_when_it_ends() {
    let world = World::warm().await;
    let claims = claims_with("usr_ada", &json!({ "exp": NOW + 5 }));
    let token = world.signer.sign(&claims);
    for _ in 0..5 {
        let answer = world.send(&token).await;
        answer.assert_identity("before its end", "usr_ada", "ses_ada");
        world.clock.advance(SECOND);
    }
    world.assert_refused("at its end", &token).await;
}

/// Nobody gets in by what somebody else's token has left behind.
#[tokio::test]
async fn one_letter_makes_it_another_token() {
    let world = World::warm().await;
    let token = world.signer.token_for("usr_ada");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{flipped}{}", &signature[1..]);
    world.assert_refused("another signature", &forged).await;
    let other = world.signer.token_for("usr_eve");
    let (other, _) = other.rsplit_once('.').unwrap();
    let moved = format!("{other}.{signature}");
    world.assert_refused("another payload", &moved).await;
    world.assert_passes("the token itself").await;
}

/// A clock that is put right may come to a time at which the token is not valid yet.
#[tokio::test]
async fn it_is_not_valid_before_its_time_either() {
    let world = World::warm().await;
    let claims = claims_with("usr_ada", &json!({ "nbf": NOW, "exp": NOW + 900 }));
    let token = world.signer.sign(&claims);
    let answer = world.send(&token).await;
    answer.assert_identity("in its time", "usr_ada", "ses_ada");
    world.clock.set_wrong_by(-1);
    world.assert_refused("before it", &token).await;
}

#[tokio::test]
async fn it_ends_with_its_key() {
    let world = World::warm().await;
    let token = world.signer.token_for("usr_ada");
    // The same id, and another key behind it.
    let impostor = Signer::ed25519("first");
    world.server.reply(Reply::Body(jwks([&impostor])));
    let stranger = Signer::ed25519("stranger").token_for("usr_ada");
    world.clock.advance(Duration::from_secs(60));
    world
        .assert_refused("whose key makes us look", &stranger)
        .await;
    assert_eq!(world.server.hits(), 2);
    world
        .assert_refused("with the key that is gone", &token)
        .await;
    let answer = world.send(&impostor.token_for("usr_ada")).await;
    answer.assert_identity("with the new key", "usr_ada", "ses_ada");

    world
        .server
        .reply(Reply::Body(jwks([&Signer::ed25519("next")])));
    world.clock.advance(Duration::from_secs(60));
    world
        .assert_refused("whose key makes us look again", &stranger)
        .await;
    let token = impostor.token_for("usr_ada");
    world.assert_refused("whose id is gone", &token).await;
}

/// A set that is fetched anew has new keys in memory, and they are the same ones.
#[tokio::test]
async fn a_fetch_of_the_same_keys_changes_nothing() {
    let world = World::warm().await;
    let stranger = Signer::ed25519("stranger").token_for("usr_ada");
    world.clock.advance(Duration::from_secs(60));
    world
        .assert_refused("whose key makes us look", &stranger)
        .await;
    assert_eq!(world.server.hits(), 2);
    world.assert_passes("as before").await;
}

/// Remembering none is a setting, and changes no verdict.
#[tokio::test]
async fn none_need_be_remembered() {
    let world = World::warm().await;
    let clock = TestClock::new();
    for remembered in [0, 1] {
        let keys = RemoteKeySource::new(&world.server.url()).unwrap();
        let gate = Gate::of(
            builder(&clock)
                .key_source(keys)
                .jwt_cache_capacity(remembered),
        );
        for user_id in ["usr_ada", "usr_eve", "usr_ada", "usr_ada"] {
            let answer = gate.send(&world.signer.token_for(user_id)).await;
            match user_id {
                "usr_ada" => answer.assert_identity("there", user_id, "ses_ada"),
                _ => answer.assert_refused("not there", RejectionKind::UserNotFound),
            }
        }
    }
}

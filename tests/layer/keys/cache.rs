//! How long keys are trusted, and how often they are fetched.

use std::sync::atomic::{AtomicUsize, Ordering};
use support::prelude::*;

use super::fixtures::{Issuer, PATIENCE, good};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn concurrent_requests_share_a_fetch() {
    let issuer = Arc::new(Issuer::new(good).await);
    let requests: Vec<_> = (0..200)
        .map(|_| {
            let issuer = Arc::clone(&issuer);
            tokio::spawn(async move { issuer.works("cold").await })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(issuer.server.hits(), 1);
}

#[tokio::test]
async fn random_kids_cause_no_fetches() {
    let issuer = Arc::new(Issuer::warm().await);
    issuer.clock.advance(MINUTE);
    let served = Arc::new(AtomicUsize::new(0));
    let strangers = (0..2_000).map(|number| {
        let issuer = Arc::clone(&issuer);
        tokio::spawn(async move {
            let mut header = issuer.signer.header();
            header["kid"] = format!("random-{number}").into();
            let claims = support::signer::claims("usr_ada").to_string();
            let token = issuer.signer.sign_raw(&header, &claims);
            issuer.rejects(&token, "a random kid", InvalidCredential).await;
        })
    });
    let known = (0..200).map(|_| {
        let (issuer, served) = (Arc::clone(&issuer), Arc::clone(&served));
        tokio::spawn(async move {
            issuer.works("a known kid meanwhile").await;
            served.fetch_add(1, Ordering::SeqCst);
        })
    });
    let tasks: Vec<_> = strangers.chain(known).collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(served.load(Ordering::SeqCst), 200);
    // The initial fetch, and one for all requests.
    assert_eq!(issuer.server.hits(), 2);
}

#[tokio::test]
async fn rotation_is_noticed_after_cooldown() {
    let issuer = Issuer::warm().await;
    let next = Signer::ed25519("next");
    issuer.server.reply(Reply::Body(jwks([&issuer.signer, &next])));
    // There is no second fetch within the cooldown.
    let token = next.token_for("usr_ada");
    issuer.clock.advance(30 * SECOND - Duration::from_millis(1));
    issuer.rejects(&token, "within the cooldown", InvalidCredential).await;
    assert_eq!(issuer.server.hits(), 1);
    issuer.clock.advance(Duration::from_millis(1));
    issuer.accepts(&token, "after it").await;
    issuer.works("with the old key").await;
    assert_eq!(issuer.server.hits(), 2);
}

#[tokio::test]
async fn rotation_under_load_loses_nothing() {
    let issuer = Arc::new(Issuer::warm().await);
    let next = Arc::new(Signer::ed25519("next"));
    issuer.clock.advance(MINUTE);
    issuer.server.reply(Reply::Body(jwks([&issuer.signer, &next])));
    let requests: Vec<_> = (0..400)
        .map(|number| {
            let (issuer, next) = (Arc::clone(&issuer), Arc::clone(&next));
            tokio::spawn(async move {
                let signer = if number % 2 == 0 { &next } else { &issuer.signer };
                issuer.accepts(&signer.token_for("usr_ada"), "in mid-load").await;
            })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(issuer.server.hits(), 2);
}

#[tokio::test]
async fn stale_keys_are_refreshed_behind() {
    let issuer = Issuer::warm().await;
    issuer.clock.advance(5 * MINUTE - SECOND);
    issuer.works("young").await;
    assert_eq!(issuer.server.hits(), 1);
    // No request waits for the second response.
    issuer.server.reply(Reply::Silence);
    issuer.clock.advance(SECOND);
    issuer.works("old").await;
    issuer.wait_for_hits(2).await;
    issuer.works("old, while it hangs").await;
}

#[tokio::test]
async fn removed_key_is_rejected() {
    let issuer = Issuer::warm().await;
    let next = Signer::ed25519("next");
    issuer.server.reply(Reply::Body(jwks([&next])));
    issuer.clock.advance(5 * MINUTE);
    issuer.works("the last time").await;
    issuer.wait_for_hits(2).await;
    issuer.accepts(&next.token_for("usr_ada"), "the next key").await;
    let old = issuer.signer.token_for("usr_ada");
    issuer.rejects(&old, "the old one", InvalidCredential).await;
}

#[tokio::test]
async fn outage_is_bridged_for_an_hour() {
    let issuer = Issuer::warm().await;
    issuer.server.reply(Reply::Nothing);
    let claims = support::signer::claims_with(
        "usr_ada",
        &serde_json::json!({ "exp": support::test_clock::NOW + 100_000 }),
    );
    let token = issuer.signer.sign(&claims);
    for _ in 0..12 {
        issuer.clock.advance(5 * MINUTE);
        issuer.accepts(&token, "within the hour").await;
    }
    issuer.clock.advance(Duration::from_millis(1));
    issuer.rejects(&token, "past it", Unavailable).await;
    issuer.server.reply(good(&issuer.signer));
    issuer.clock.advance(SECOND);
    issuer.accepts(&token, "afterwards").await;
}

#[tokio::test]
async fn failed_fetch_has_a_cooldown() {
    let issuer = Issuer::new(|_| Reply::Nothing).await;
    let token = issuer.signer.token_for("usr_ada");
    issuer.rejects(&token, "cold", Unavailable).await;
    let hits = issuer.server.hits();
    issuer.server.reply(good(&issuer.signer));
    for _ in 0..20 {
        issuer.rejects(&token, "right after", Unavailable).await;
    }
    issuer.clock.advance(SECOND - Duration::from_millis(1));
    issuer.rejects(&token, "nearly a second after", Unavailable).await;
    assert_eq!(issuer.server.hits(), hits);
    issuer.clock.advance(Duration::from_millis(1));
    issuer.works("a second after").await;
}

#[tokio::test]
async fn clock_changes_do_not_age_keys() {
    let issuer = Issuer::warm().await;
    issuer.server.reply(Reply::Nothing);
    for seconds in [-100_000, 100_000] {
        let claims = support::signer::claims_with(
            "usr_ada",
            &serde_json::json!({ "exp": support::test_clock::NOW + 1_000_000 }),
        );
        issuer.clock.set_wall(at(NOW + seconds));
        issuer.accepts(&issuer.signer.sign(&claims), "a wrong clock").await;
    }
    assert_eq!(issuer.server.hits(), 1);
}

#[tokio::test]
async fn dropped_request_affects_no_other() {
    let options = JwksOptions::new().fetch_timeout(PATIENCE);
    let issuer = Arc::new(Issuer::with(|_| Reply::Silence, options).await);
    let first = {
        let issuer = Arc::clone(&issuer);
        tokio::spawn(async move { issuer.works("never").await })
    };
    issuer.wait_for_hits(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    // The fetch continues and is not repeated.
    let second = {
        let issuer = Arc::clone(&issuer);
        tokio::spawn(async move { issuer.send(&issuer.signer.token_for("usr_ada")).await })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!second.is_finished());
    assert_eq!(issuer.server.hits(), 1);
    second.abort();
}

#[tokio::test]
async fn invalid_tokens_need_no_keys() {
    let issuer = Issuer::new(|_| Reply::Nothing).await;
    let good = issuer.signer.token_for("usr_ada");
    for (what, changes) in [
        ("expired", serde_json::json!({ "exp": support::test_clock::NOW })),
        ("another issuer", serde_json::json!({ "iss": "https://other.example" })),
        ("another audience", serde_json::json!({ "aud": "https://other.example" })),
        ("no subject", serde_json::json!({ "sub": null })),
        ("of a client", serde_json::json!({ "azp": "client" })),
    ] {
        let claims = support::signer::claims_with("usr_ada", &changes);
        issuer.rejects(&issuer.signer.sign(&claims), what, InvalidCredential).await;
        issuer.rejects(&good, "a good one", Unavailable).await;
    }
}

#[tokio::test]
async fn failed_fetch_decides_nothing() {
    let issuer = Issuer::warm().await;
    issuer.server.reply(Reply::Nothing);
    issuer.clock.advance(MINUTE);
    let other = Signer::ed25519("other").token_for("usr_ada");
    issuer.rejects(&other, "the one that fetches", Unavailable).await;
    let hits = issuer.server.hits();
    issuer.rejects(&other, "the next one, at once", Unavailable).await;
    assert_eq!(issuer.server.hits(), hits);
    issuer.works("a known key").await;
}

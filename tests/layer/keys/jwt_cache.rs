//! The cache of verified JWTs.

use support::prelude::*;
use support::signer::claims_with;

use super::fixtures::{Issuer, builder};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn cached_jwt_expires_with_token() {
    let issuer = Issuer::warm().await;
    let claims = claims_with("usr_ada", &json!({ "exp": NOW + 5 }));
    let token = issuer.signer.sign(&claims);
    for _ in 0..5 {
        issuer.accepts(&token, "before its end").await;
        issuer.clock.advance(SECOND);
    }
    issuer.rejects(&token, "at its end", InvalidCredential).await;
}

/// A cache entry is never used for a different token.
#[tokio::test]
async fn changed_token_is_not_cached() {
    let issuer = Issuer::warm().await;
    let token = issuer.signer.token_for("usr_ada");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{flipped}{}", &signature[1..]);
    issuer.rejects(&forged, "another signature", InvalidCredential).await;
    let other = issuer.signer.token_for("usr_eve");
    let (other, _) = other.rsplit_once('.').unwrap();
    let moved = format!("{other}.{signature}");
    issuer.rejects(&moved, "another payload", InvalidCredential).await;
    issuer.works("the token itself").await;
}

/// A corrected clock may be earlier than `nbf`.
#[tokio::test]
async fn not_before_holds_for_cached_jwts() {
    let issuer = Issuer::warm().await;
    let claims = claims_with("usr_ada", &json!({ "nbf": NOW, "exp": NOW + 900 }));
    let token = issuer.signer.sign(&claims);
    issuer.accepts(&token, "in its time").await;
    issuer.clock.set_wall(at(NOW - 1));
    issuer.rejects(&token, "before it", InvalidCredential).await;
}

#[tokio::test]
async fn cached_jwt_ends_with_its_key() {
    let issuer = Issuer::warm().await;
    let token = issuer.signer.token_for("usr_ada");
    // A different key with the same id.
    let impostor = Signer::ed25519("first");
    issuer.server.reply(Reply::Body(jwks([&impostor])));
    let stranger = Signer::ed25519("stranger").token_for("usr_ada");
    issuer.clock.advance(Duration::from_secs(60));
    issuer.rejects(&stranger, "whose key makes us look", InvalidCredential).await;
    assert_eq!(issuer.server.hits(), 2);
    issuer.rejects(&token, "with the key that is gone", InvalidCredential).await;
    issuer.accepts(&impostor.token_for("usr_ada"), "with the new key").await;

    issuer.server.reply(Reply::Body(jwks([&Signer::ed25519("next")])));
    issuer.clock.advance(Duration::from_secs(60));
    issuer.rejects(&stranger, "whose key makes us look again", InvalidCredential).await;
    let token = impostor.token_for("usr_ada");
    issuer.rejects(&token, "whose id is gone", InvalidCredential).await;
}

/// A second fetch creates new objects for the same keys.
#[tokio::test]
async fn refetch_keeps_cached_jwts() {
    let issuer = Issuer::warm().await;
    let stranger = Signer::ed25519("stranger").token_for("usr_ada");
    issuer.clock.advance(Duration::from_secs(60));
    issuer.rejects(&stranger, "whose key makes us look", InvalidCredential).await;
    assert_eq!(issuer.server.hits(), 2);
    issuer.works("as before").await;
}

/// Without the cache the results are the same.
#[tokio::test]
async fn cache_can_be_disabled() {
    let issuer = Issuer::warm().await;
    let clock = clock();
    for remembered in [0, 1] {
        let keys = RemoteKeySource::new(&issuer.server.url()).unwrap();
        let app = App::of(builder(&clock).key_source(keys).jwt_cache_capacity(remembered));
        for user_id in ["usr_ada", "usr_eve", "usr_ada", "usr_ada"] {
            let answer = app.send(&issuer.signer.token_for(user_id)).await;
            match user_id {
                "usr_ada" => answer.assert_identity("there", user_id, "ses_ada"),
                _ => answer.assert_rejected("not there", UserNotFound),
            }
        }
    }
}

//! A storm of tokens, each with a key id of its own.

use std::sync::Arc;

use support::signer::Signer;

use crate::finding::Check;
use crate::options::Scale;
use crate::rig::{Expected, Flood, Trial, USUAL, World, bearer, key_claims, post, unauthorized};

const TOKENS: u64 = 100_000;
const CONNECTIONS: usize = 32;

pub(crate) async fn run(scale: Scale) -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::Nothing).await;
    let claims = key_claims(&world.backing.keys.origin(), "usr_0", 0).to_string();
    // Nobody looks at the signature of a key that is not there.
    let token = Signer::ed25519("x").sign_raw(&serde_json::json!({}), &claims);
    let (_, rest) = token.split_once('.').expect("a JWT");
    let rest = rest.to_owned();
    let flood = Flood {
        address: world.server.address,
        connections: CONNECTIONS,
        make: Arc::new(move |number| {
            let header = format!(r#"{{"alg":"EdDSA","kid":"storm-{number}"}}"#);
            let header = support::token::base64url(header);
            post(&bearer(&format!("{header}.{rest}")))
        }),
        is_due: unauthorized,
    };
    trial.strikes();
    let flooded = flood.run(0..scale.of(TOKENS)).await;
    trial.ends();
    let mut finding = trial.conclude().await;
    let hits = world.backing.keys.hits() as u64;
    // One before, and one more for each half minute.
    let most = 2 + flooded.took.as_secs() / 30;
    if hits > most {
        let text = format!("the issuer was asked {hits} times in {:?}", flooded.took);
        finding.violations.push(text);
    }
    if let Some(last) = finding.cells.last_mut() {
        let (counts, took) = (flooded.counts(), flooded.took.as_secs_f64());
        *last += &format!("; the storm: {counts} in {took:.1} s, keys fetched: {hits}");
    }
    finding.violations.extend(flooded.violations);
    finding
}

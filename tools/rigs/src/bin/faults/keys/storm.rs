//! Many tokens with different unknown key ids.

use std::sync::Arc;

use support::signer::Signer;

use crate::check::Check;
use crate::options::Scale;
use crate::rig::{Expected, Fixture, Flood, Trial, USUAL, bearer, key_claims, post, unauthorized};

const TOKENS: u64 = 100_000;
const CONNECTIONS: usize = 32;

pub(crate) async fn run(scale: Scale) -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Nothing).await;
    let claims = key_claims(&fixture.backing.keys.origin(), "usr_0", 0).to_string();
    // The signature of an unknown key is not checked.
    let token = Signer::ed25519("x").sign_raw(&serde_json::json!({}), &claims);
    let (_, rest) = token.split_once('.').expect("a JWT");
    let rest = rest.to_owned();
    let flood = Flood {
        address: fixture.server.address,
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
    let mut check = trial.conclude().await;
    let hits = fixture.backing.keys.hits() as u64;
    // One fetch before, and one for each half minute.
    let most = 2 + flooded.took.as_secs() / 30;
    if hits > most {
        let text = format!("the keys were fetched {hits} times in {:?}", flooded.took);
        check.violations.push(text);
    }
    if let Some(last) = check.cells.last_mut() {
        let (counts, took) = (flooded.counts(), flooded.took.as_secs_f64());
        *last += &format!("; the storm: {counts} in {took:.1} s, keys fetched: {hits}");
    }
    check.violations.extend(flooded.violations);
    check
}

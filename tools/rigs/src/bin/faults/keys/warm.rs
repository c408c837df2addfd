//! The issuer stops after its keys were fetched.

use std::time::Duration;

use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Trial, WITH_UNKNOWN_KEYS};

/// Less than the time for which an unknown key id is rejected without a fetch.
const LASTS: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, WITH_UNKNOWN_KEYS, Expected::Nothing).await;
    trial.strikes();
    fixture.backing.keys.stop_listening();
    sleep(LASTS).await;
    fixture.backing.keys.listen_again().await;
    trial.ends();
    trial.conclude().await
}

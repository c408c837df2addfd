//! The issuer goes away after its keys were fetched.

use std::time::Duration;

use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, Trial, WITH_UNKNOWN_KEYS, World};

/// Less than the time in which a key that is not in the set is known to be none.
const LASTS: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, WITH_UNKNOWN_KEYS, Expected::Nothing).await;
    trial.strikes();
    world.backing.keys.stop_listening();
    sleep(LASTS).await;
    world.backing.keys.listen_again().await;
    trial.ends();
    trial.conclude().await
}

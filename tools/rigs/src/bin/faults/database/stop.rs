//! The database is gone for longer than a lookup waits.

use std::time::Duration;

use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, Kind, Trial, USUAL, World};

/// Longer than the deadline of a lookup.
const LASTS: Duration = Duration::from_secs(7);

pub(crate) async fn run() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::Fails(Kind::needs_store)).await;
    trial.strikes();
    world.backing.cluster.stop_fast().await;
    sleep(LASTS).await;
    world.backing.cluster.start_again().await;
    trial.ends();
    trial.conclude().await
}

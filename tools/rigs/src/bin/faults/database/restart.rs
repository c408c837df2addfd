//! The database is started again at once: by an administrator, and after a crash.

use crate::finding::Check;
use crate::rig::{Expected, Kind, Trial, USUAL, World};

/// Connections are told that they end.
pub(crate) async fn fast() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::MayFail(Kind::needs_store)).await;
    trial.strikes();
    world.backing.cluster.stop_fast().await;
    world.backing.cluster.start_again().await;
    trial.ends();
    trial.conclude().await
}

/// Connections break, and the server recovers at its start.
pub(crate) async fn immediate() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::MayFail(Kind::needs_store)).await;
    trial.strikes();
    world.backing.cluster.stop_immediate().await;
    world.backing.cluster.start_again().await;
    trial.ends();
    trial.conclude().await
}

//! The database restarts, by an administrator and after a crash.

use crate::check::Check;
use crate::rig::{Expected, Fixture, Kind, Trial, USUAL};

/// Connections are closed with a message.
pub(crate) async fn fast() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::MayFail(Kind::needs_store)).await;
    trial.strikes();
    fixture.backing.cluster.stop_fast().await;
    fixture.backing.cluster.start_again().await;
    trial.ends();
    trial.conclude().await
}

/// Connections break, and the database recovers at its start.
pub(crate) async fn immediate() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::MayFail(Kind::needs_store)).await;
    trial.strikes();
    fixture.backing.cluster.stop_immediate().await;
    fixture.backing.cluster.start_again().await;
    trial.ends();
    trial.conclude().await
}

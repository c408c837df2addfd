//! The database is stopped for longer than the query timeout.

use std::time::Duration;

use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Kind, Trial, USUAL};

/// Longer than the query timeout.
const LASTS: Duration = Duration::from_secs(7);

pub(crate) async fn run() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Fails(Kind::needs_store)).await;
    trial.strikes();
    fixture.backing.cluster.stop_fast().await;
    sleep(LASTS).await;
    fixture.backing.cluster.start_again().await;
    trial.ends();
    trial.conclude().await
}

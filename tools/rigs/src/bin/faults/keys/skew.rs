//! The issuer's clock is wrong by an hour.

use std::time::Duration;

use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, OF_ANOTHER_TIME, Trial, World};

const LASTS: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, OF_ANOTHER_TIME, Expected::Nothing).await;
    trial.strikes();
    sleep(LASTS).await;
    trial.ends();
    trial.conclude().await
}

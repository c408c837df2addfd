//! The issuer's clock is wrong by an hour.

use std::time::Duration;

use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, OF_ANOTHER_TIME, Trial};

const LASTS: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, OF_ANOTHER_TIME, Expected::Nothing).await;
    trial.strikes();
    sleep(LASTS).await;
    trial.ends();
    trial.conclude().await
}

//! Every half second the database ends idle connections, as a pooler or a suspended database does.

use std::time::Duration;

use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Trial, USUAL};

const TIMES: usize = 16;
const PAUSE: Duration = Duration::from_millis(500);

const END_THE_IDLE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name = 'better-auth-layer' AND state = 'idle'";

pub(crate) async fn run() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Nothing).await;
    let before = fixture.backing.connections("").await;
    trial.strikes();
    for _ in 0..TIMES {
        fixture.backing.execute(END_THE_IDLE).await;
        sleep(PAUSE).await;
    }
    trial.ends();
    let after = fixture.backing.connections("").await;
    let mut check = trial.conclude().await;
    if before.iter().any(|pid| after.contains(pid)) {
        let text = format!("connections outlived their end: {before:?}, {after:?}");
        check.violations.push(text);
    }
    check
}

//! Every half second the server ends the connections that nobody uses at the moment, as a pooler or a suspended
//! database does.

use std::time::Duration;

use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, Trial, USUAL, World};

const TIMES: usize = 16;
const PAUSE: Duration = Duration::from_millis(500);

const END_THE_IDLE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name = 'better-auth-layer' AND state = 'idle'";

pub(crate) async fn run() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::Nothing).await;
    let before = world.backing.connections("").await;
    trial.strikes();
    for _ in 0..TIMES {
        world.backing.execute(END_THE_IDLE).await;
        sleep(PAUSE).await;
    }
    trial.ends();
    let after = world.backing.connections("").await;
    let mut finding = trial.conclude().await;
    if before.iter().any(|pid| after.contains(pid)) {
        let text = format!("connections outlived their end: {before:?}, {after:?}");
        finding.violations.push(text);
    }
    finding
}

//! Somebody holds the table of sessions for themselves, as a migration does, for longer than a lookup waits.

use std::time::Duration;

use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, Kind, Trial, USUAL, World};

const LASTS: Duration = Duration::from_secs(7);

pub(crate) async fn run() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::Fails(Kind::needs_store)).await;
    trial.strikes();
    let holder = world.backing.database.client().await;
    let lock = r#"BEGIN; LOCK TABLE "session" IN ACCESS EXCLUSIVE MODE"#;
    holder.batch_execute(lock).await.expect("nobody else locks");
    sleep(LASTS).await;
    holder.batch_execute("ROLLBACK").await.expect("it is ours");
    trial.ends();
    trial.conclude().await
}

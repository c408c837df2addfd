//! A migration holds a lock on the session table for longer than the query timeout.

use std::time::Duration;

use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Kind, Trial, USUAL};

const LASTS: Duration = Duration::from_secs(7);

pub(crate) async fn run() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Fails(Kind::needs_store)).await;
    trial.strikes();
    let holder = fixture.backing.database.client().await;
    let lock = r#"BEGIN; LOCK TABLE "session" IN ACCESS EXCLUSIVE MODE"#;
    holder.batch_execute(lock).await.expect("nobody else locks");
    sleep(LASTS).await;
    holder.batch_execute("ROLLBACK").await.expect("it is ours");
    trial.ends();
    trial.conclude().await
}

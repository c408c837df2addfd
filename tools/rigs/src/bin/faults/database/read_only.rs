//! Every transaction becomes read-only, as on a standby or where the disk is full.

use std::time::Duration;

use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, Trial, USUAL, World};

const LASTS: Duration = Duration::from_secs(5);

pub(crate) async fn run() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::Nothing).await;
    trial.strikes();
    let backing = &world.backing;
    let client = backing.database.client().await;
    for sql in [
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    ] {
        client.batch_execute(sql).await.expect("a superuser may");
    }
    sleep(LASTS).await;
    let written = backing
        .database
        .client()
        .await
        .batch_execute("CREATE TABLE t ()")
        .await;
    for sql in [
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    ] {
        client.batch_execute(sql).await.expect("a superuser may");
    }
    trial.ends();
    let mut finding = trial.conclude().await;
    if written.is_ok() {
        let text = "something could be written, so the fault did not strike";
        finding.violations.push(text.to_owned());
    }
    finding
}

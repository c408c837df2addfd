//! Every transaction is read-only, as on a standby or with a full disk.

use std::time::Duration;

use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Trial, USUAL};

const LASTS: Duration = Duration::from_secs(5);

pub(crate) async fn run() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Nothing).await;
    trial.strikes();
    let backing = &fixture.backing;
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
    let mut check = trial.conclude().await;
    if written.is_ok() {
        let text = "something could be written, so the fault did not strike";
        check.violations.push(text.to_owned());
    }
    check
}

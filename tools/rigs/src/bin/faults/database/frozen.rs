//! Database processes that are frozen with open sockets.

use std::time::Duration;

use cluster::OwnCluster;
use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Kind, Trial, USUAL};

/// Longer than the query timeout.
const LASTS: Duration = Duration::from_secs(7);

/// Wakes the processes in any case. Otherwise the server could not be stopped.
struct Frozen(Vec<u32>);

impl Frozen {
    fn freeze(pids: Vec<u32>) -> Self {
        for pid in &pids {
            OwnCluster::freeze(*pid);
        }
        Self(pids)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            OwnCluster::thaw(*pid);
        }
    }
}

/// One of the backends.
pub(crate) async fn backend() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Fails(Kind::needs_store)).await;
    // Under a light load most lookups use the most recent connection.
    let latest = fixture
        .backing
        .connections("ORDER BY query_start DESC")
        .await;
    trial.strikes();
    let frozen = Frozen::freeze(latest.into_iter().take(1).collect());
    sleep(LASTS).await;
    drop(frozen);
    trial.ends();
    trial.conclude().await
}

/// The postmaster: existing connections work, new ones are not accepted.
pub(crate) async fn postmaster() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::MayFail(Kind::needs_store)).await;
    trial.strikes();
    let frozen = Frozen::freeze(vec![fixture.backing.cluster.postmaster_pid()]);
    sleep(LASTS).await;
    drop(frozen);
    trial.ends();
    trial.conclude().await
}

/// All processes, as when the machine hangs.
pub(crate) async fn everything() -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Fails(Kind::needs_store)).await;
    let mut pids = fixture.backing.connections("").await;
    pids.push(fixture.backing.cluster.postmaster_pid());
    trial.strikes();
    let frozen = Frozen::freeze(pids);
    sleep(LASTS).await;
    drop(frozen);
    trial.ends();
    trial.conclude().await
}

//! Processes of the database that keep their sockets and do nothing.

use std::time::Duration;

use cluster::OwnCluster;
use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, Kind, Trial, USUAL, World};

/// Longer than the deadline of a lookup.
const LASTS: Duration = Duration::from_secs(7);

/// Wakes its processes however the ordeal ends; the server could not be stopped otherwise.
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

/// One of the processes that answer lookups.
pub(crate) async fn backend() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::Fails(Kind::needs_store)).await;
    // Under a light load most lookups go by one connection: the one that was asked last.
    let latest = world.backing.connections("ORDER BY query_start DESC").await;
    trial.strikes();
    let frozen = Frozen::freeze(latest.into_iter().take(1).collect());
    sleep(LASTS).await;
    drop(frozen);
    trial.ends();
    trial.conclude().await
}

/// The first process: connections go on, and there are no new ones.
pub(crate) async fn postmaster() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::MayFail(Kind::needs_store)).await;
    trial.strikes();
    let frozen = Frozen::freeze(vec![world.backing.cluster.postmaster_pid()]);
    sleep(LASTS).await;
    drop(frozen);
    trial.ends();
    trial.conclude().await
}

/// All of them, as when the machine hangs.
pub(crate) async fn everything() -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, Expected::Fails(Kind::needs_store)).await;
    let mut pids = world.backing.connections("").await;
    pids.push(world.backing.cluster.postmaster_pid());
    trial.strikes();
    let frozen = Frozen::freeze(pids);
    sleep(LASTS).await;
    drop(frozen);
    trial.ends();
    trial.conclude().await
}

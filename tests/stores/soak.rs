//! Identities never mix under load.

use cluster::cluster;
use rigs::soak::{Length, run};
use support::prelude::*;

/// The short run of `cargo xtask soak`: every response belongs to the caller, no ended session is
/// accepted, and no valid one is rejected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identities_never_mix() {
    let database = cluster().await.create_database().await;
    let length = Length::Requests(60_000, 6_000);
    let summary = run(&database, length, Duration::from_millis(2), 1).await;
    assert_eq!(summary.mistakes(), 0, "\n{summary}");
    for (name, stats, _) in &summary.clients {
        assert!(stats.requests() >= 6_000, "{name}\n{summary}");
    }
    // Sessions and users have changed during the run.
    for change in ["sessions ended", "users banned", "users replaced", "addresses handed over"] {
        assert!(summary.changes.contains_key(change), "{change}\n{summary}");
    }
}

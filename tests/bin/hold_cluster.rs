//! Starts the shared cluster and one of its own, prints the process id and the directory of each, and holds them until it
//! is killed. `postgres_harness` kills it and looks for what is left.

use support::postgres::{ClusterOptions, OwnCluster, cluster};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let shared = cluster().await;
    let client = shared.create_database().await.client().await;
    let pid: String = client
        .query_one(
            "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)",
            &[],
        )
        .await
        .expect("a superuser may read it")
        .get(0);
    println!("{pid} {}", shared.socket_dir().display());
    let own = OwnCluster::start(ClusterOptions::default()).await;
    println!("{} {}", own.postmaster_pid(), own.socket_dir().display());
    std::future::pending::<()>().await;
}

//! A real Better Auth and our real server with one database: each accepts the credentials of the
//! other.
//!
//! Started by `cargo xtask interop`, with the server's path in `CHATKIT_SERVER`. Exit code
//! 0: everything was as expected.

mod algorithms;
mod browser;
mod http;
mod issuer;
mod journey;
mod readme;
mod report;
mod server;

use std::process::ExitCode;

use cluster::{ClusterOptions, OwnCluster};
use support::temporary_folder::TemporaryFolder;

use self::report::Report;

/// The secret of both sides.
pub(crate) const SECRET: &str = "interop-secret-Zk3vQ9xT7mB1wR5yL8dH2nJ6";

#[tokio::main]
async fn main() -> ExitCode {
    let mut report = Report::default();
    let folder = TemporaryFolder::new();
    let cluster = OwnCluster::start(ClusterOptions {
        tcp: true,
        ..ClusterOptions::default()
    })
    .await;
    let postgres = cluster.create_database().await;
    let first = journey::run(postgres.tcp_url(), "PostgreSQL", &mut report).await;
    let sqlite = format!("sqlite:{}", folder.path().join("auth.sqlite").display());
    let second = journey::run(&sqlite, "SQLite", &mut report).await;
    algorithms::run(folder.path(), &mut report).await;
    for rotated in [first, second] {
        rotated.wait_until_noticed(&mut report).await;
    }
    report.print();
    if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

//! A server with its environment.

use cluster::ClusterOptions;

use super::backing::Backing;
use super::footprint::Footprint;
use super::server::{Launch, Server};

/// A server without a fault.
#[derive(Debug)]
pub(crate) struct Fixture {
    // Dropped before its environment.
    pub(crate) server: Server,
    pub(crate) backing: Backing,
}

impl Fixture {
    /// As documented: the database over TCP, the issuer by its URL.
    pub(crate) async fn usual() -> Self {
        Self::of(ClusterOptions::default()).await
    }

    /// With a cluster of these options.
    pub(crate) async fn of(options: ClusterOptions) -> Self {
        Self::on(Backing::start(options).await).await
    }

    /// With an existing environment.
    pub(crate) async fn on(backing: Backing) -> Self {
        let launch = Launch::on(&backing, backing.database.tcp_url());
        Self {
            server: Server::start(&launch).await,
            backing,
        }
    }

    /// The current resources of the server.
    pub(crate) async fn footprint(&self) -> Footprint {
        let connections = self.backing.connections("").await.len();
        self.server.process.footprint(connections)
    }
}

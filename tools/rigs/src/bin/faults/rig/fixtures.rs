//! A server and what it stands on.

use cluster::ClusterOptions;

use super::backing::Backing;
use super::footprint::Footprint;
use super::server::{Launch, Server};

/// Nothing is wrong with it yet.
#[derive(Debug)]
pub(crate) struct World {
    // Dropped before what it stands on.
    pub(crate) server: Server,
    pub(crate) backing: Backing,
}

impl World {
    /// As the documentation says: the database by TCP, the issuer by its address.
    pub(crate) async fn usual() -> Self {
        Self::of(ClusterOptions::default()).await
    }

    /// With a cluster of these options.
    pub(crate) async fn of(options: ClusterOptions) -> Self {
        Self::on(Backing::start(options).await).await
    }

    /// With what was made before.
    pub(crate) async fn on(backing: Backing) -> Self {
        let launch = Launch::on(&backing, backing.database.tcp_url());
        Self {
            server: Server::start(&launch).await,
            backing,
        }
    }

    /// What the server holds now.
    pub(crate) async fn footprint(&self) -> Footprint {
        let connections = self.backing.connections("").await.len();
        self.server.process.footprint(connections)
    }
}

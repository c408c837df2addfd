//! The environment of a server under test.

use std::net::Ipv4Addr;
use std::sync::Arc;

use cluster::{ClusterOptions, Database, OwnCluster};
use support::key_server::{KeyServer, Reply};
use support::signer::{Signer, jwks};

use super::echo::Echo;
use super::users::Users;

/// A cluster with tables and users, the service behind the layer, and the issuer's keys.
#[derive(Debug)]
pub(crate) struct Backing {
    pub(crate) cluster: OwnCluster,
    pub(crate) database: Database,
    pub(crate) echo: Echo,
    pub(crate) keys: KeyServer,
    pub(crate) signer: Signer,
    pub(crate) users: Arc<Users>,
}

impl Backing {
    /// Starts everything without a fault.
    pub(crate) async fn start(options: ClusterOptions) -> Self {
        let cluster = OwnCluster::start(ClusterOptions {
            tcp: true,
            ..options
        })
        .await;
        let database = cluster.create_database().await;
        database.execute(&Users::sql("usr")).await;
        let signer = Signer::ed25519("first");
        let keys = KeyServer::start(Reply::Body(jwks([&signer]))).await;
        Self {
            users: Arc::new(Users::new("usr", &keys.origin(), &signer)),
            echo: Echo::start(Ipv4Addr::LOCALHOST.into()).await,
            cluster,
            database,
            keys,
            signer,
        }
    }

    /// The regular response of the issuer.
    pub(crate) fn key_set(&self) -> Reply {
        Reply::Body(jwks([&self.signer]))
    }

    /// Runs statements as an administrator.
    pub(crate) async fn execute(&self, sql: &str) {
        self.database.execute(sql).await;
    }

    /// The process ids of the stores' connections. `more` is a condition or an order.
    pub(crate) async fn connections(&self, more: &str) -> Vec<u32> {
        let client = self.database.client().await;
        let query = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'better-auth-layer' {more}"
        );
        let rows = client
            .query(&query, &[])
            .await
            .expect("a superuser may look");
        let pids = rows.iter().map(|row| row.get::<_, i32>(0));
        pids.map(i32::unsigned_abs).collect()
    }
}

//! The cluster that all tests of a process share.

use std::{env, path::Path, sync::Arc};

use tokio::sync::OnceCell;

use super::{
    database::{self, Database},
    own::{ClusterOptions, launch},
    server::Server,
    url::with_database,
};

/// The server of [`cluster`]: a throw-away one, or the one of `TEST_DATABASE_URL`.
#[derive(Debug)]
pub struct Cluster(Kind);

#[derive(Debug)]
enum Kind {
    Own(Arc<Server>),
    Url(String),
}

/// The cluster of this process, which the first call starts. It ends with the process, even after
/// `kill -9`.
///
/// # Panics
///
/// If no server can be started, with a remedy.
pub async fn cluster() -> &'static Cluster {
    // Statics are not dropped: the keeper notices the end of the process. An error is kept as well,
    // so that a hundred tests do not repeat the attempt.
    static CLUSTER: OnceCell<Result<Cluster, String>> = OnceCell::const_new();
    match CLUSTER.get_or_init(start).await {
        Ok(cluster) => cluster,
        Err(reason) => panic!("{reason}"),
    }
}

async fn start() -> Result<Cluster, String> {
    match env::var("TEST_DATABASE_URL") {
        Ok(url) => {
            database::drop_stale(&url).await;
            Ok(Cluster(Kind::Url(url)))
        }
        Err(_) => {
            let options = ClusterOptions {
                // Concurrent tests have separate pools.
                max_connections: 300,
                ..ClusterOptions::default()
            };
            launch(options)
                .await
                .map(|server| Cluster(Kind::Own(server)))
        }
    }
}

impl Cluster {
    /// Creates an empty database.
    pub async fn create_database(&self) -> Database {
        match &self.0 {
            Kind::Own(server) => create_database(server).await,
            Kind::Url(url) => Database::create(url, |name| (with_database(url, name), None)).await,
        }
    }

    /// The directory of the unix socket.
    ///
    /// # Panics
    ///
    /// With `TEST_DATABASE_URL`, whose socket is unknown.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        match &self.0 {
            Kind::Own(server) => server.directory(),
            Kind::Url(_) => {
                panic!("the socket directory of TEST_DATABASE_URL is not known: use an OwnCluster")
            }
        }
    }
}

/// Creates a database on a throw-away cluster.
pub(super) async fn create_database(server: &Server) -> Database {
    let address = server.address();
    Database::create(&address.socket_url("postgres"), |name| {
        (address.socket_url(name), address.tcp_url(name))
    })
    .await
}

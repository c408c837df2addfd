//! A cluster of a test's own, for tests that stop, restart or freeze the server.

use std::{path::Path, process::Command, sync::Arc};

use super::{
    cluster,
    database::Database,
    server::{Server, Stop},
    tls::ServerCertificate,
};

/// What kind of cluster. The default listens on a unix socket only.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Listen on a free port of 127.0.0.1 as well, with SCRAM passwords.
    pub tcp: bool,
    /// Offer TLS with this certificate. Implies `tcp`: PostgreSQL has no TLS on unix sockets.
    pub tls: Option<ServerCertificate>,
    /// Further lines of `postgresql.conf`, name and value; they win over those of the harness.
    pub extra: Vec<(String, String)>,
    /// How many clients may be connected, three of them superusers in an emergency.
    pub max_connections: u32,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            tcp: false,
            tls: None,
            extra: Vec::new(),
            max_connections: 100,
        }
    }
}

/// A cluster of a test's own. Dropping it stops the server and removes its files.
///
/// `TEST_DATABASE_URL` does not count here: a server of somebody else's is not ours to stop.
#[derive(Debug)]
pub struct OwnCluster(Arc<Server>);

impl OwnCluster {
    /// Makes and starts a cluster.
    ///
    /// # Panics
    ///
    /// When that fails, with what to do about it.
    pub async fn start(options: ClusterOptions) -> Self {
        match launch(options).await {
            Ok(server) => Self(server),
            Err(reason) => panic!("{reason}"),
        }
    }

    /// Creates an empty database.
    pub async fn create_database(&self) -> Database {
        cluster::create_database(&self.0).await
    }

    /// The directory of the unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.0.directory()
    }

    /// The TCP port, the same after [`start_again`](Self::start_again).
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.address().port()
    }

    /// What the server wrote to its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// The process id of the server's first process.
    ///
    /// # Panics
    ///
    /// When the server is stopped.
    #[must_use]
    pub fn postmaster_pid(&self) -> u32 {
        self.0
            .postmaster_pid()
            .expect("the server runs, else it has no process id")
    }

    /// Stops the server as an administrator does: connections are told 57P01, then closed.
    pub async fn stop_fast(&self) {
        self.blocking(|server| server.stop(Stop::Fast)).await;
    }

    /// Stops the server as a crash would; the next start recovers.
    pub async fn stop_immediate(&self) {
        self.blocking(|server| server.stop(Stop::Immediate)).await;
    }

    /// Starts a stopped server, at the same addresses, and waits until it takes connections.
    pub async fn start_again(&self) {
        self.blocking(Server::start).await;
    }

    /// Freezes a process, the postmaster or a backend (`pg_backend_pid()`): it keeps its sockets and does nothing.
    pub fn freeze(pid: u32) {
        signal("STOP", pid);
    }

    /// Lets a frozen process go on.
    pub fn thaw(pid: u32) {
        signal("CONT", pid);
    }

    async fn blocking(&self, run: impl FnOnce(&Server) -> Result<(), String> + Send + 'static) {
        let server = Arc::clone(&self.0);
        if let Err(reason) = on_a_thread(move || run(&server)).await {
            panic!("{reason}");
        }
    }
}

/// Makes and starts a cluster.
pub(super) async fn launch(options: ClusterOptions) -> Result<Arc<Server>, String> {
    on_a_thread(move || Server::launch(&options))
        .await
        .map(Arc::new)
}

/// Waits without holding up the other tasks of a test, and without a paused clock running ahead.
pub(super) async fn on_a_thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run)
        .await
        .expect("the harness does not panic off the test's thread")
}

/// The `kill` of the shell: a program of that name need not be installed.
fn signal(name: &str, pid: u32) {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid.to_string()])
        .status()
        .expect("a shell");
    assert!(status.success(), "cannot send {name} to process {pid}");
}

//! A separate cluster, for tests that stop, restart or freeze the server.

use std::{path::Path, process::Command, sync::Arc};

use super::{
    cluster,
    database::Database,
    server::{Server, Stop},
    tls::ServerCertificate,
};

/// The options of a cluster. By default it listens on a unix socket only.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Whether it listens on a free port of 127.0.0.1 as well, with SCRAM passwords.
    pub tcp: bool,
    /// The certificate for TLS. It implies `tcp`, because PostgreSQL has no TLS on unix sockets.
    pub tls: Option<ServerCertificate>,
    /// Additional lines of `postgresql.conf`. They override those of the harness.
    pub extra: Vec<(String, String)>,
    /// The number of connections, three of which are reserved for superusers.
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

/// A separate cluster. Dropping it stops the server and removes its files.
///
/// `TEST_DATABASE_URL` is not used, because a foreign server must not be stopped.
#[derive(Debug)]
pub struct OwnCluster(Arc<Server>);

impl OwnCluster {
    /// Creates and starts a cluster.
    ///
    /// # Panics
    ///
    /// If that fails, with a remedy.
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

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// The process id of the postmaster.
    ///
    /// # Panics
    ///
    /// If the server is stopped.
    #[must_use]
    pub fn postmaster_pid(&self) -> u32 {
        self.0.postmaster_pid().expect("the server runs")
    }

    /// Stops the server as an administrator does: connections get 57P01 and are closed.
    pub async fn stop_fast(&self) {
        self.blocking(|server| server.stop(Stop::Fast)).await;
    }

    /// Stops the server like a crash. The next start recovers.
    pub async fn stop_immediate(&self) {
        self.blocking(|server| server.stop(Stop::Immediate)).await;
    }

    /// Starts a stopped server on the same port and socket, and waits until it accepts connections.
    pub async fn start_again(&self) {
        self.blocking(Server::start).await;
    }

    /// Freezes a process, the postmaster or a backend (`pg_backend_pid()`): its sockets stay open,
    /// but it does not run.
    pub fn freeze(pid: u32) {
        signal("STOP", pid);
    }

    /// Continues a frozen process.
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

/// Creates and starts a cluster.
pub(super) async fn launch(options: ClusterOptions) -> Result<Arc<Server>, String> {
    on_a_thread(move || Server::launch(&options))
        .await
        .map(Arc::new)
}

/// Waits without blocking other tasks, and without advancing a paused clock.
pub(super) async fn on_a_thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run)
        .await
        .expect("the harness does not panic off the test's thread")
}

/// The `kill` builtin of the shell, because the program may not be installed.
fn signal(name: &str, pid: u32) {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid.to_string()])
        .status()
        .expect("a shell");
    assert!(status.success(), "cannot send {name} to process {pid}");
}

//! A real PgBouncer in front of a cluster.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{
    account::Account,
    database::Database,
    keeper::Keeper,
    own::{OwnCluster, on_a_thread},
    pooler_program,
    server::unique_name,
    url::Address,
};

/// Long, for a loaded machine; a PgBouncer that ends is noticed at once.
const PATIENCE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(5);

const SCRIPT: &str = include_str!("pooler.sh");

/// For how long a client keeps a connection of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// For a transaction.
    Transaction,
    /// Until it leaves.
    Session,
}

/// A PgBouncer that dies with this process, or when it is dropped.
#[derive(Debug)]
pub struct Pooler {
    address: Address,
    directory: PathBuf,
    keeper: Keeper,
}

impl Pooler {
    /// Starts a PgBouncer with so many connections to each database of the cluster.
    ///
    /// # Panics
    ///
    /// When there is none or it does not start, with what to do about it.
    pub async fn start(cluster: &OwnCluster, mode: PoolMode, connections: u32) -> Self {
        let server = cluster.socket_dir().to_owned();
        // The name of the socket has it as well.
        let port = cluster.port().unwrap_or(5432);
        match on_a_thread(move || launch(&server, port, mode, connections)).await {
            Ok(pooler) => pooler,
            Err(reason) => panic!("{reason}"),
        }
    }

    /// The URL of a database of the cluster, through this PgBouncer.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        self.address.socket_url(database.name())
    }

    /// What it wrote to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("pgbouncer.log")).unwrap_or_default()
    }

    fn await_socket(&self) -> Result<(), String> {
        let socket = self.directory.join(".s.PGSQL.5432");
        let deadline = Instant::now() + PATIENCE;
        let reason = loop {
            // Asked before the look at the files: a keeper that is gone changes none.
            let gone = self.keeper.is_gone();
            if let Ok(status) = fs::read_to_string(self.directory.join("exited")) {
                break format!("it ended with status {}", status.trim());
            }
            if socket.exists() {
                return Ok(());
            }
            if gone {
                break format!("its keeper is gone ({})", self.keeper.last_words());
            }
            if Instant::now() > deadline {
                break format!("not done after {} s", PATIENCE.as_secs());
            }
            thread::sleep(POLL);
        };
        Err(format!(
            "PgBouncer did not start: {reason}. Its log:\n{}",
            self.log()
        ))
    }
}

fn launch(server: &Path, port: u16, mode: PoolMode, connections: u32) -> Result<Pooler, String> {
    let program = pooler_program::find()?;
    let account = Account::choose()?;
    let directory = account.base_directory()?.join(unique_name());
    let mode = match mode {
        PoolMode::Transaction => "transaction",
        PoolMode::Session => "session",
    };
    // Whoever can enter the directory is trusted, as by the server behind it.
    let settings = format!(
        "[databases]\n\
         * = host={server} port={port} user=postgres\n\
         [pgbouncer]\n\
         listen_addr =\n\
         listen_port = 5432\n\
         unix_socket_dir = {directory}\n\
         pidfile = {directory}/pgbouncer.pid\n\
         auth_type = any\n\
         pool_mode = {mode}\n\
         default_pool_size = {connections}\n\
         max_client_conn = 500\n",
        server = server.display(),
        directory = directory.display(),
    );
    let pooler = Pooler {
        keeper: Keeper::start(
            &account,
            SCRIPT,
            &[directory.as_ref(), program.as_ref(), settings.as_ref()],
        )?,
        address: Address::socket(&directory),
        directory,
    };
    pooler.await_socket()?;
    Ok(pooler)
}

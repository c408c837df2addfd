//! A real PgBouncer in front of a cluster.

use std::{
    ffi::OsStr,
    fs,
    os::unix::net::UnixStream,
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
    server::{PASSWORD, free_port, unique_name},
    tls::ServerCertificate,
    url::Address,
};

/// Long enough for a loaded machine. The end of PgBouncer is noticed at once.
const PATIENCE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(5);

const SCRIPT: &str = include_str!("pooler.sh");

/// The time for which a client keeps a server connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// For a transaction.
    Transaction,
    /// Until the client disconnects.
    Session,
}

/// A PgBouncer that ends with this process, or when it is dropped.
#[derive(Debug)]
pub struct Pooler {
    address: Address,
    directory: PathBuf,
    keeper: Keeper,
}

impl Pooler {
    /// Starts a PgBouncer with this number of connections to each database of the cluster.
    ///
    /// # Panics
    ///
    /// If it cannot be started, with a remedy.
    pub async fn start(cluster: &OwnCluster, mode: PoolMode, connections: u32) -> Self {
        let server = cluster.socket_dir().to_owned();
        match on_a_thread(move || launch(&server, mode, connections, None)).await {
            Ok(pooler) => pooler,
            Err(reason) => panic!("{reason}"),
        }
    }

    /// Starts a PgBouncer in transaction mode that accepts only TCP with TLS and SCRAM passwords.
    ///
    /// # Panics
    ///
    /// Like [`start`](Self::start).
    pub async fn start_with_tls(cluster: &OwnCluster, certificate: &ServerCertificate) -> Self {
        let server = cluster.socket_dir().to_owned();
        let tls = certificate.clone();
        let launched = on_a_thread(move || {
            let port = free_port()?;
            launch(&server, PoolMode::Transaction, 4, Some((port, &tls)))
        });
        match launched.await {
            Ok(pooler) => pooler,
            Err(reason) => panic!("{reason}"),
        }
    }

    /// The TCP port, with TLS.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.address.port()
    }

    /// The URL of a database of the cluster through this PgBouncer.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        self.address.socket_url(database.name())
    }

    /// The log of PgBouncer.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("pgbouncer.log")).unwrap_or_default()
    }

    fn await_socket(&self) -> Result<(), String> {
        let port = self.port().unwrap_or(5432);
        let socket = self.directory.join(format!(".s.PGSQL.{port}"));
        let deadline = Instant::now() + PATIENCE;
        let reason = loop {
            // Checked before the files: a keeper that is gone changes none.
            let gone = self.keeper.is_gone();
            if let Ok(status) = fs::read_to_string(self.directory.join("exited")) {
                break format!("it ended with status {}", status.trim());
            }
            // The file exists shortly before PgBouncer listens.
            if UnixStream::connect(&socket).is_ok() {
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

fn launch(
    server: &Path,
    mode: PoolMode,
    connections: u32,
    tls: Option<(u16, &ServerCertificate)>,
) -> Result<Pooler, String> {
    let program = pooler_program::find()?;
    let account = Account::choose()?;
    let directory = account.base_directory()?.join(unique_name());
    let mode = match mode {
        PoolMode::Transaction => "transaction",
        PoolMode::Session => "session",
    };
    // Every user with access to the directory is trusted, as by the server.
    let (listen, auth) = match tls {
        None => (
            "listen_addr =\nlisten_port = 5432\n".to_owned(),
            "auth_type = any\n".to_owned(),
        ),
        Some((port, _)) => (
            format!("listen_addr = 127.0.0.1\nlisten_port = {port}\n"),
            format!(
                "auth_type = scram-sha-256\n\
                 auth_file = {directory}/accounts.txt\n\
                 client_tls_sslmode = require\n\
                 client_tls_cert_file = {directory}/server.crt\n\
                 client_tls_key_file = {directory}/server.key\n",
                directory = directory.display(),
            ),
        ),
    };
    let settings = format!(
        "[databases]\n\
         * = host={server} port={server_port} user=postgres\n\
         [pgbouncer]\n\
         {listen}\
         unix_socket_dir = {directory}\n\
         pidfile = {directory}/pgbouncer.pid\n\
         {auth}\
         pool_mode = {mode}\n\
         default_pool_size = {connections}\n\
         max_client_conn = 500\n\
         server_login_retry = 1\n",
        server = server.display(),
        server_port = server_port(server)?,
        directory = directory.display(),
    );
    let accounts = format!("\"postgres\" \"{PASSWORD}\"");
    let mut arguments: Vec<&OsStr> = vec![directory.as_ref(), program.as_ref(), settings.as_ref()];
    let address = match tls {
        None => Address::socket(&directory),
        Some((port, certificate)) => {
            arguments.extend([
                OsStr::new(&certificate.cert_pem),
                OsStr::new(&certificate.key_pem),
                OsStr::new(&accounts),
            ]);
            Address::tcp(&directory, port, PASSWORD)
        }
    };
    let pooler = Pooler {
        keeper: Keeper::start(&account, SCRIPT, &arguments)?,
        address,
        directory,
    };
    pooler.await_socket()?;
    Ok(pooler)
}

/// The port in the name of the server's socket, which equals its TCP port.
fn server_port(directory: &Path) -> Result<u16, String> {
    let entries = fs::read_dir(directory)
        .map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
    entries
        .flatten()
        .find_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.strip_prefix(".s.PGSQL.")?.parse().ok()
        })
        .ok_or_else(|| format!("no server listens in {}", directory.display()))
}

//! A throw-away cluster: its directory, settings, start and stop. The functions block. `cluster`
//! and `own` are the async interface.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{account::Account, binaries, keeper::Keeper, own::ClusterOptions, url::Address};

/// Long enough for a loaded machine. A failure is noticed at once.
const PATIENCE: Duration = Duration::from_secs(120);

const POLL: Duration = Duration::from_millis(10);

const SCRIPT: &str = include_str!("keeper.sh");

/// Used over TCP only. The directory of the socket is private.
pub(super) const PASSWORD: &str = "throw-away";

/// Another process may take the free port before the server listens on it.
const PORT_ATTEMPTS: u32 = 3;

/// A cluster that ends with this process.
#[derive(Debug)]
pub(super) struct Server {
    directory: PathBuf,
    account: Account,
    keeper: Keeper,
    address: Address,
    /// The number of starts.
    runs: AtomicU32,
}

/// The ways to stop a server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// Connections get 57P01, and transactions are rolled back.
    Fast,
    /// Like a crash: 57P02 or no message, and a recovery at the next start.
    Immediate,
}

impl Server {
    /// Creates and starts a cluster.
    pub(super) fn launch(options: &ClusterOptions) -> Result<Self, String> {
        let binaries = binaries::find()?;
        let account = Account::choose()?;
        let directory = account.base_directory()?.join(unique_name());
        let arguments = [directory.as_ref(), binaries.as_ref(), PASSWORD.as_ref()];
        let keeper = Keeper::start(&account, SCRIPT, &arguments)?;
        let mut server = Self {
            address: Address::socket(&directory),
            directory,
            account,
            keeper,
            runs: AtomicU32::new(0),
        };
        server.await_initdb(&binaries)?;
        if !options.tcp && options.tls.is_none() {
            server.configure(options, None)?;
            server.start()?;
            return Ok(server);
        }
        let mut outcome = Ok(());
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            server.configure(options, Some(port))?;
            server.address = Address::tcp(&server.directory, port, PASSWORD);
            outcome = server.start();
            if !matches!(&outcome, Err(text) if text.contains("Address already in use")) {
                break;
            }
        }
        outcome.map(|()| server)
    }

    /// Starts the server and waits until it accepts connections.
    pub(super) fn start(&self) -> Result<(), String> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        // After a crash the old file still contains "ready".
        let before = self.status();
        self.keeper.tell(&format!("start {run}"))?;
        self.wait("start", || {
            if let Ok(status) = fs::read_to_string(self.exited(run)) {
                return Err(format!("it ended with status {}", status.trim()));
            }
            let now = self.status();
            Ok(now != before && now.lines().nth(7).map(str::trim_end) == Some("ready"))
        })
    }

    /// Stops the server and waits for its end.
    pub(super) fn stop(&self, how: Stop) -> Result<(), String> {
        let run = self.runs.load(Ordering::Relaxed);
        self.keeper.tell(match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        })?;
        self.wait("stop", || Ok(self.exited(run).exists()))
    }

    /// The process id of the postmaster, while the server runs.
    pub(super) fn postmaster_pid(&self) -> Option<u32> {
        self.status().lines().next()?.trim().parse().ok()
    }

    /// The host and port.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The directory that holds the socket and everything else.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The log so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("server.log")).unwrap_or_default()
    }

    fn await_initdb(&self, binaries: &Path) -> Result<(), String> {
        let status = self.directory.join("initdb.status");
        let failed = |reason: String| {
            let log = fs::read_to_string(self.directory.join("initdb.log")).unwrap_or_default();
            format!(
                "{}/initdb failed as {}: {reason}\n{}\nThat account must be able to read and run the binaries, and to write \
                 to {}.",
                binaries.display(),
                self.account.name(),
                log.trim_end(),
                self.directory.parent().unwrap_or(Path::new("/")).display(),
            )
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Checked before the file is read: a keeper may write the file and then end.
            let gone = self.keeper.is_gone();
            match fs::read_to_string(&status).as_deref().map(str::trim_end) {
                Ok("0") => return Ok(()),
                // The file exists but is not written yet.
                Ok("") => {}
                Ok(code) => return Err(failed(format!("status {code}"))),
                Err(_) if gone => {
                    let words = self.keeper.last_words();
                    return Err(failed(format!("its directory could not be made ({words})")));
                }
                Err(_) => {}
            }
            if Instant::now() > deadline {
                return Err(failed(format!("not done after {} s", PATIENCE.as_secs())));
            }
            thread::sleep(POLL);
        }
    }

    fn wait(&self, what: &str, done: impl Fn() -> Result<bool, String>) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        let reason = loop {
            match done() {
                Ok(true) => return Ok(()),
                Ok(false) if self.keeper.is_gone() => break "its keeper is gone".to_owned(),
                Ok(false) if Instant::now() < deadline => thread::sleep(POLL),
                Ok(false) => break format!("not done after {} s", PATIENCE.as_secs()),
                Err(reason) => break reason,
            }
        };
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(30)..)
            .unwrap_or_default();
        Err(format!(
            "the PostgreSQL server (run as {}) did not {what}: {reason}. The end of its log:\n{}",
            self.account.name(),
            tail.join("\n"),
        ))
    }

    /// Appends settings to those of initdb. The last line of a name is used.
    fn configure(&self, options: &ClusterOptions, port: Option<u16>) -> Result<(), String> {
        let data = self.directory.join("data");
        let mut settings = vec![
            (
                "unix_socket_directories",
                self.directory.display().to_string(),
            ),
            (
                "listen_addresses",
                if port.is_some() { "127.0.0.1" } else { "" }.to_owned(),
            ),
            ("port", port.unwrap_or(5432).to_string()),
            ("max_connections", options.max_connections.to_string()),
            ("shared_buffers", "16MB".to_owned()),
            ("timezone", "UTC".to_owned()),
            // The data need not survive a crash of the machine.
            ("fsync", "off".to_owned()),
            ("synchronous_commit", "off".to_owned()),
            ("full_page_writes", "off".to_owned()),
        ];
        if let Some(tls) = &options.tls {
            self.write(&data.join("server.crt"), &tls.cert_pem)?;
            self.write(&data.join("server.key"), &tls.key_pem)?;
            settings.push(("ssl", "on".to_owned()));
        }
        settings.extend(
            options
                .extra
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        );
        let text = settings
            .iter()
            .fold(String::from("\n"), |mut text, (name, value)| {
                let quoted = value.replace('\\', "\\\\").replace('\'', "''");
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{name} = '{quoted}'");
                text
            });
        let file = data.join("postgresql.conf");
        fs::OpenOptions::new()
            .append(true)
            .open(&file)
            .and_then(|mut open| open.write_all(text.as_bytes()))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))
    }

    /// A file of the server, which rejects a key that others can read.
    fn write(&self, file: &Path, text: &str) -> Result<(), String> {
        fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(file)
            .and_then(|mut open| open.write_all(text.as_bytes()))
            .and_then(|()| self.account.give(file))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))
    }

    /// The content of `postmaster.pid`: the process id first, and `ready` in the eighth line when
    /// the server accepts connections.
    fn status(&self) -> String {
        fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default()
    }

    fn exited(&self, run: u32) -> PathBuf {
        self.directory.join(format!("exited.{run}"))
    }
}

/// A short name for the socket path, unique among machines with a shared temporary directory and
/// among concurrent tests.
pub(super) fn unique_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    format!("bat-{}-{:x}-{number}", process::id(), nanos & 0xffff_ffff)
}

pub(super) fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on 127.0.0.1: {error}"))
}

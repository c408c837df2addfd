//! The server under test: the real program in a process.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use support::temporary_folder::TemporaryFolder;
use support::token::SECRET;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::backing::Backing;
use super::footprint::Process;

/// Longer than a start takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The options of a start.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// Commands that run the program, such as `nsenter`.
    pub(crate) within: Vec<OsString>,
    pub(crate) variables: Vec<(String, String)>,
}

impl Launch {
    /// With a database, and the other parts of an environment.
    pub(crate) fn on(backing: &Backing, database_url: &str) -> Self {
        let variables = [
            ("DATABASE_URL", database_url.to_owned()),
            ("BETTER_AUTH_SECRET", SECRET.to_owned()),
            ("BETTER_AUTH_URL", backing.keys.origin()),
            ("CHATKIT_UPSTREAM", backing.echo.url()),
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", "0".to_owned()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Self {
            within: Vec::new(),
            variables: variables.into(),
        }
    }

    /// Sets a variable, or removes it.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        if !value.is_empty() {
            self.variables.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
    folder: TemporaryFolder,
    _child: Child,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub(crate) async fn start(launch: &Launch) -> Self {
        let program = env::var_os("CHATKIT_SERVER");
        let program = program.expect("CHATKIT_SERVER: run this with `cargo xtask faults`");
        let folder = TemporaryFolder::new();
        let log = File::create(folder.path().join("log")).expect("the folder is writable");
        let mut line = launch.within.iter().cloned().chain([program]);
        let mut child = Command::new(line.next().expect("a program"))
            .args(line)
            // A directory without a `.env` file.
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .envs(launch.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let output = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(output).lines();
        let first = timeout(PATIENCE, lines.next_line()).await;
        let first = first.ok().and_then(Result::ok).flatten();
        let said = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let first = first.unwrap_or_else(|| panic!("the server does not start:\n{}", said()));
        let address = first.strip_prefix("listening on http://");
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address: {first}"));
        // Reads the output, so that the server can keep writing.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            address,
            process: Process(child.id().expect("it runs")),
            folder,
            _child: child,
        }
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The end of the log, for error messages.
    pub(crate) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

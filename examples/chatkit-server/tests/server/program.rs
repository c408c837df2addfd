//! Runs the program in a separate directory, with the variables of a test.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::http::PATIENCE;

/// The secret of the tests, which no output may contain.
pub(crate) const SECRET: &str = "correct-horse-battery-staple-4711";

/// The columns of Better Auth's tables that the store reads.
const TABLES: &str = r#"
CREATE TABLE "user" ("id" text primary key, "email" text, "emailVerified" integer);
CREATE TABLE "session" ("id" text primary key, "expiresAt" date, "token" text, "userId" text);
"#;

/// Removed on drop. A running server keeps a reference.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Program {
    directory: Arc<Directory>,
    variables: Vec<(String, String)>,
}

impl Program {
    /// Without settings, except for a free port.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chatkit-server-{}-{number}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(directory.join("tmp")).unwrap();
        Self {
            directory: Arc::new(Directory(directory)),
            variables: Vec::new(),
        }
        .set("PORT", "0")
    }

    /// With a secret and a SQLite file: alice has a session, bob an expired one, carol none.
    pub(crate) fn with_database() -> Self {
        let program = Self::new()
            .set("DATABASE_URL", "sqlite:auth.sqlite")
            .set("BETTER_AUTH_SECRET", SECRET);
        let database = program.database();
        database.execute_batch(TABLES).unwrap();
        database
            .execute_batch(
                r#"
                INSERT INTO "user" VALUES ('usr_alice', 'alice@example.com', 1);
                INSERT INTO "user" VALUES ('usr_bob', 'bob@example.com', 1);
                INSERT INTO "user" VALUES ('usr_carol', 'carol@example.com', 1);
                INSERT INTO "session" VALUES ('s1', '2999-01-01T00:00:00.000Z', 't1', 'usr_alice');
                INSERT INTO "session" VALUES ('s2', '2001-01-01T00:00:00.000Z', 't2', 'usr_bob');
                "#,
            )
            .unwrap();
        program
    }

    /// The database of `with_database`.
    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.directory.0.join("auth.sqlite")).unwrap()
    }

    pub(crate) fn create_tables(&self) {
        self.database().execute_batch(TABLES).unwrap();
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.variables.retain(|(key, _)| key != name);
        self
    }

    /// Writes `.env`.
    pub(crate) fn file(self, text: &str) -> Self {
        fs::write(self.directory.0.join(".env"), text).unwrap();
        self
    }

    /// The files in the directory for temporary files.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.directory.0.join("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatkit-server"));
        command
            .args(arguments)
            .current_dir(&self.directory.0)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap())
            .env("TMPDIR", self.directory.0.join("tmp"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command and waits for its exit.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let child = self.command(arguments).spawn().unwrap();
        let mut child = KillOnDrop(Some(child));
        wait(child.0.as_mut().unwrap());
        child.0.take().unwrap().wait_with_output().unwrap()
    }

    pub(crate) fn token(&self, email: &str) -> String {
        let output = self.run(&["token", "--email", email]);
        assert!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout).unwrap();
        assert_eq!(token.lines().count(), 1, "{token}");
        token.trim_end().to_owned()
    }

    /// The error message of a server that does not start.
    pub(crate) fn start_error(&self) -> String {
        let output = self.run(&[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(self.leftovers().is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        let message = text.lines().find_map(|line| line.strip_prefix("error: "));
        message.expect(&text).to_owned()
    }

    pub(crate) fn start(&self) -> Server {
        self.start_with(usize::MAX)
    }

    /// Starts a server and reads only the first line of its standard output.
    pub(crate) fn start_unread(&self) -> Server {
        self.start_with(1)
    }

    fn start_with(&self, lines_to_read: usize) -> Server {
        let mut child = self.command(&[]).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut lines = stdout.lines();
            for line in lines.by_ref().take(lines_to_read) {
                let _ = sender.send(line.unwrap());
            }
            drop(sender);
            if lines_to_read < usize::MAX {
                // Keeps the pipe open.
                loop {
                    thread::park();
                }
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let child = KillOnDrop(Some(child));
        let first = lines.recv_timeout(PATIENCE).unwrap();
        let address = first.strip_prefix("listening on http://").unwrap();
        Server {
            address: address.parse().unwrap(),
            lines,
            log,
            child,
            _directory: Arc::clone(&self.directory),
        }
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    lines: Receiver<String>,
    log: JoinHandle<String>,
    child: KillOnDrop,
    // Dropped after the child.
    _directory: Arc<Directory>,
}

impl Server {
    /// The next line on standard output with this prefix.
    pub(crate) fn line(&self, prefix: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if line.starts_with(prefix) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.0.as_ref().unwrap().id().to_string();
        let kill = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(kill.success());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        let child = self.child.0.as_mut().unwrap();
        child.try_wait().unwrap().is_none()
    }

    /// Waits for the exit. Returns the exit code, the unread lines of standard output, and the log.
    pub(crate) fn wait(mut self) -> (Option<i32>, Vec<String>, String) {
        let status = wait(self.child.0.as_mut().unwrap());
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("standard output is still open"),
            }
        }
        (status.code(), lines, self.log.join().unwrap())
    }

    pub(crate) fn stop(self) -> (Option<i32>, Vec<String>, String) {
        self.signal("-TERM");
        self.wait()
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "the program is still running");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Ends the process if a test fails.
struct KillOnDrop(Option<Child>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

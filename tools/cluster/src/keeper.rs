//! The process that owns a server and its files, and outlives the tests by the moment it takes to remove them.
//!
//! Statics are not dropped at the end of a process, and no destructor runs after `kill -9`. The end of a pipe is
//! noticed in both cases, so a shell waits for it.

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Stdio},
    sync::{Mutex, PoisonError},
};

use super::account::Account;

/// A running keeper. Dropping it removes the server, and waits until it is gone.
#[derive(Debug)]
pub(super) struct Keeper(Mutex<Running>);

#[derive(Debug)]
struct Running {
    process: Child,
    /// Taken at the end: closing it is the keeper's sign to clean up.
    commands: Option<ChildStdin>,
}

impl Keeper {
    /// Starts a keeper with its script's arguments.
    pub(super) fn start(
        account: &Account,
        script: &str,
        arguments: &[&OsStr],
    ) -> Result<Self, String> {
        let mut process = account
            .command("sh")
            .args(["-c", script, "keeper"])
            .args(arguments)
            // A Ctrl-C is for the tests; the keeper learns of it by their end.
            .process_group(0)
            .stdin(Stdio::piped())
            // Our own output must not stay open for as long as the keeper cleans up.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run `sh` as {}: {error}", account.name()))?;
        let commands = process.stdin.take();
        Ok(Self(Mutex::new(Running { process, commands })))
    }

    /// Hands over one line.
    pub(super) fn tell(&self, command: &str) -> Result<(), String> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .commands
            .as_mut()
            .ok_or("the keeper of the server has ended")
            .and_then(|commands| {
                writeln!(commands, "{command}").map_err(|_| "the keeper of the server is gone")
            })
            .map_err(str::to_owned)
    }

    /// Whether the keeper has ended by itself.
    pub(super) fn is_gone(&self) -> bool {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(running.process.try_wait(), Ok(None))
    }

    /// How a keeper that [is gone](Self::is_gone) ended, and what it said before it had a directory.
    pub(super) fn last_words(&self) -> String {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = String::new();
        if let Some(mut said) = running.process.stderr.take() {
            // What was read until then counts.
            let _ = said.read_to_string(&mut words);
        }
        match running.process.try_wait() {
            Ok(Some(status)) => format!("{status}: {}", words.trim_end()),
            Ok(None) => words,
            Err(error) => format!("its end is unknown ({error}): {}", words.trim_end()),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let running = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(running.commands.take());
        // Nothing to do about a failure: the process is gone in that case too.
        let _ = running.process.wait();
    }
}

//! The process that owns a server and its files, and removes them after the tests.
//!
//! Statics are not dropped at the end of a process, and no destructor runs after `kill -9`. The end
//! of a pipe is noticed in both cases, so a shell waits for it.

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Stdio},
    sync::{Mutex, PoisonError},
};

use super::account::Account;

/// A running keeper. Dropping it removes the server and waits for its end.
#[derive(Debug)]
pub(super) struct Keeper(Mutex<Running>);

#[derive(Debug)]
struct Running {
    process: Child,
    /// Closed at the end, which makes the keeper clean up.
    commands: Option<ChildStdin>,
}

impl Keeper {
    /// Starts a keeper with the arguments of its script.
    pub(super) fn start(
        account: &Account,
        script: &str,
        arguments: &[&OsStr],
    ) -> Result<Self, String> {
        let mut process = account
            .command("sh")
            .args(["-c", script, "keeper"])
            .args(arguments)
            // Ctrl-C interrupts the tests only. The keeper notices their end.
            .process_group(0)
            .stdin(Stdio::piped())
            // Our output must not stay open while the keeper cleans up.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run `sh` as {}: {error}", account.name()))?;
        let commands = process.stdin.take();
        Ok(Self(Mutex::new(Running { process, commands })))
    }

    /// Sends a command line.
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

    /// Whether the keeper has ended.
    pub(super) fn is_gone(&self) -> bool {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(running.process.try_wait(), Ok(None))
    }

    /// The exit status and the output of a keeper that [is gone](Self::is_gone).
    pub(super) fn last_words(&self) -> String {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = String::new();
        if let Some(mut said) = running.process.stderr.take() {
            // A partial text is sufficient.
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
        // An error means that the process is gone as well.
        let _ = running.process.wait();
    }
}

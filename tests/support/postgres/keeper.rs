//! The process that owns a cluster and outlives the tests by the moment it takes to remove it.
//!
//! Statics are not dropped at the end of a process, and no destructor runs after `kill -9`. The end of a pipe is
//! noticed in both cases, so a shell waits for it.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::{Mutex, PoisonError},
};

use super::account::Account;

const SCRIPT: &str = include_str!("keeper.sh");

/// A running keeper. Dropping it removes the cluster, and waits until it is gone.
#[derive(Debug)]
pub(super) struct Keeper(Mutex<Running>);

#[derive(Debug)]
struct Running {
    process: Child,
    /// Taken at the end: closing it is the keeper's sign to clean up.
    commands: Option<ChildStdin>,
}

impl Keeper {
    /// Starts a keeper, which begins with `initdb`.
    pub(super) fn start(
        account: &Account,
        directory: &Path,
        binaries: &Path,
        password: &str,
    ) -> Result<Self, String> {
        let mut process = account
            .command("sh")
            .args(["-c", SCRIPT, "keeper"])
            .args([directory, binaries])
            .arg(password)
            // A Ctrl-C is for the tests; the keeper learns of it by their end.
            .process_group(0)
            .stdin(Stdio::piped())
            // Our own output must not stay open for as long as the keeper cleans up.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
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
            .ok_or("the keeper of the cluster has ended")
            .and_then(|commands| {
                writeln!(commands, "{command}").map_err(|_| "the keeper of the cluster is gone")
            })
            .map_err(str::to_owned)
    }

    /// Whether the keeper has ended by itself.
    pub(super) fn is_gone(&self) -> bool {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(running.process.try_wait(), Ok(None))
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

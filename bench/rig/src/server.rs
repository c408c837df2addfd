//! A server under measurement.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;

/// A running server. It exits when its standard input closes, at the latest with the rig.
#[derive(Debug)]
pub(crate) struct Server {
    name: String,
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a program and waits until it prints its address.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self, Error> {
        let program = PathBuf::from(command.get_program());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let output = process.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line
            .trim()
            .strip_prefix("listening ")
            .and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let _ = process.kill();
            let status = process.wait()?;
            return Err(format!("{name} did not start ({status}); see its output above").into());
        };
        Ok(Self {
            name: name.to_owned(),
            process,
            address,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let end = Instant::now() + Duration::from_secs(3);
        while matches!(self.process.try_wait(), Ok(None)) {
            if Instant::now() > end {
                let _ = self.process.kill();
                let _ = self.process.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The path of a program of this workspace.
pub(crate) fn own_program(name: &str) -> Result<PathBuf, Error> {
    let rig = std::env::current_exe()?;
    let path = rig.parent().unwrap_or(Path::new(".")).join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{} is not built: run `cargo xtask bench`", path.display()).into())
    }
}

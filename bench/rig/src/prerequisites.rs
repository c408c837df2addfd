//! The Python and Node.js packages of the compared servers.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use crate::contestant::Group;
use crate::error::Error;

/// A directory in `bench/`.
pub(crate) fn folder(name: &str) -> PathBuf {
    // `cargo run` sets it, so a moved checkout needs no rebuild.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().unwrap_or(Path::new("..")).join(name)
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    folder("..")
}

/// Python with the packages of `bench/python/requirements.txt`.
pub(crate) fn python() -> PathBuf {
    folder("target").join("python").join("bin").join("python")
}

/// Installs the locked packages of a group if they are missing.
pub(crate) fn install(groups: &[Group]) -> Result<(), Error> {
    if groups.contains(&Group::Node) {
        install_node()?;
    }
    if groups.contains(&Group::Python) {
        install_python()?;
    }
    Ok(())
}

fn install_node() -> Result<(), Error> {
    for program in ["node", "npm"] {
        if version(program).is_none() {
            return Err(format!(
                "`{program}` is not installed: install Node.js 20 or later with npm (Debian: `nodejs` and `npm`), or leave \
                 Node.js out with --only floors,ours,rust,python"
            )
            .into());
        }
    }
    let node = folder("node");
    if is_newer(
        &node.join("node_modules/.package-lock.json"),
        &node.join("package-lock.json"),
    ) {
        return Ok(());
    }
    step(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(node),
    )
}

fn install_python() -> Result<(), Error> {
    if version("python3").is_none() {
        return Err("`python3` is not installed: install Python 3.10 or later (Debian: `python3` and `python3-venv`), or \
                    leave Python out with --only floors,ours,rust,node"
            .into());
    }
    let requirements = folder("python").join("requirements.txt");
    let environment = folder("target").join("python");
    let done = environment.join("requirements.installed");
    if is_newer(&done, &requirements) {
        return Ok(());
    }
    step(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment),
    )?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "-r",
    ];
    step(Command::new(python()).args(pip).arg(requirements))?;
    Ok(std::fs::write(done, "")?)
}

/// The output of `program --version`, if the program exists.
pub(crate) fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn is_newer(this: &Path, than: &Path) -> bool {
    let age = |path: &Path| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    age(this) > age(than)
}

fn step(command: &mut Command) -> Result<(), Error> {
    let line = format!("{command:?}");
    eprintln!("+ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{line}: {status}; is the network available?").into()),
        Err(error) => Err(format!("{line}: {error}").into()),
    }
}

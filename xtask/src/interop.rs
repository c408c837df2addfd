//! `cargo xtask interop`: a real Better Auth against our real server.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use crate::{cargo, postgres, workspace};

const OLDEST_NODE: u32 = 20;

/// Makes sure of Node, its packages and a PostgreSQL server, builds our programs, and runs the journey.
pub(crate) fn run() -> Result<u8, String> {
    check_node()?;
    let folder = workspace().join("tools/rigs/interop");
    install(&folder)?;
    let build = [
        "build",
        "--quiet",
        "-p",
        "chatkit-server",
        "-p",
        "rigs",
        "--bin",
        "chatkit-server",
        "--bin",
        "interop",
    ];
    let code = crate::run(cargo().args(build).current_dir(workspace()))?;
    if code != 0 {
        return Ok(code);
    }
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), Into::into);
    let programs = std::path::absolute(target.join("debug")).map_err(|error| error.to_string())?;
    let mut command = Command::new(programs.join("interop"));
    command.env("CHATKIT_SERVER", programs.join("chatkit-server"));
    if env::var_os("TEST_DATABASE_URL").is_none() {
        command.env("PG_BIN", postgres::ensure()?);
    }
    crate::run(&mut command)
}

fn check_node() -> Result<(), String> {
    let missing = || {
        format!(
            "the live interoperability test needs Node.js {OLDEST_NODE} or later with npm, which are not installed \
             (https://nodejs.org, or Debian's packages `nodejs` and `npm`)"
        )
    };
    let output = Command::new("node").arg("--version").output();
    let output = output.map_err(|_| missing())?;
    let version = String::from_utf8_lossy(&output.stdout);
    let major = version.trim().trim_start_matches('v').split('.').next();
    let major: u32 = major.and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < OLDEST_NODE {
        return Err(format!(
            "the live interoperability test needs Node.js {OLDEST_NODE} or later; this one is {}",
            version.trim()
        ));
    }
    let npm = Command::new("npm")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    match npm {
        Ok(status) if status.success() => Ok(()),
        _ => Err(missing()),
    }
}

/// Installs exactly the packages of the lock file, unless they are there.
fn install(folder: &Path) -> Result<(), String> {
    let age =
        |name: &str| -> Option<SystemTime> { folder.join(name).metadata().ok()?.modified().ok() };
    if age("node_modules/.package-lock.json") > age("package-lock.json") {
        return Ok(());
    }
    let mut command = Command::new("npm");
    command
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(folder);
    match crate::run(&mut command)? {
        0 => Ok(()),
        code => Err(format!(
            "`npm ci` in {} ended with {code}; is the network there?",
            folder.display()
        )),
    }
}

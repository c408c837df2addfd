//! `cargo xtask interop`: the example server with a real Better Auth.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::{rigs, servers};

const OLDEST_NODE: u32 = 20;

/// The packages of Better Auth.
const PACKAGES: &str = "tools/rigs/interop";

/// Installs the packages, builds server and rig, and runs the rig.
pub(crate) fn run(sh: &Shell) -> Result<()> {
    let required = format!("this test needs Node.js {OLDEST_NODE} or later with npm");
    let version = cmd!(sh, "node --version").quiet().read();
    let version = version.with_context(|| required.clone())?;
    let major = version.trim_start_matches('v').split('.').next();
    let major: u32 = major.and_then(|major| major.parse().ok()).unwrap_or(0);
    ensure!(major >= OLDEST_NODE, "{required}, not {version}");
    if !is_installed(&sh.current_dir().join(PACKAGES)) {
        let _packages = sh.push_dir(PACKAGES);
        cmd!(sh, "npm ci --no-audit --no-fund").run().context(required)?;
    }
    let environment = servers::test_environment(sh)?;
    Ok(rigs::debug(sh, "interop")?.envs(environment).run()?)
}

/// Whether the installed packages are newer than the lock file.
fn is_installed(packages: &Path) -> bool {
    let modified =
        |file: &str| -> Option<SystemTime> { packages.join(file).metadata().ok()?.modified().ok() };
    modified("node_modules/.package-lock.json") > modified("package-lock.json")
}

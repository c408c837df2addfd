//! No build script downloads anything: everything builds from what cargo has fetched, without a network.

use std::process::{Command, Stdio};

use super::{Outcome, outcome};
use crate::{cargo, workspace};

pub(super) fn run() -> Result<Outcome, String> {
    let fetched = outcome(cargo().current_dir(workspace()).args(["fetch", "--locked"]))?;
    if !matches!(fetched, Outcome::Passed) {
        return Ok(fetched);
    }
    let cargo = cargo();
    // A network of its own, in which there is nobody; needs the right to make one.
    let mut alone = Command::new("unshare");
    alone.args(["--net", "--map-root-user"]);
    let can = alone
        .arg("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !can {
        return Ok(Outcome::NotChecked(
            "a build without a network, as `unshare --net` (util-linux) is not there or not allowed here".to_owned(),
        ));
    }
    outcome(
        Command::new("unshare")
            .args(["--net", "--map-root-user"])
            .arg(cargo.get_program())
            .current_dir(workspace())
            // Build scripts of an ordinary build have run already; in a directory of their own they run again.
            .env("CARGO_TARGET_DIR", workspace().join("target/offline"))
            .args(["check", "--workspace", "--exclude", "tests", "--locked", "--offline"]),
    )
}

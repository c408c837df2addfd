//! Whether what has changed may go out under the version that the manifest says.

use std::process::Command;

use super::{PACKAGE, need};
use crate::{cargo, workspace};

/// Compares with a commit, or with the last release.
pub(super) fn run(arguments: &[String]) -> Result<u8, String> {
    let baseline = match arguments {
        [] => last_release()?,
        [commit] => commit.clone(),
        _ => return Err("usage: cargo xtask supply semver [commit]".to_owned()),
    };
    need("semver-checks")?;
    println!("compared with {baseline}");
    crate::run(
        cargo()
            .current_dir(workspace())
            .args(["semver-checks", "--all-features", "-p", PACKAGE])
            .args(["--baseline-rev", &baseline]),
    )
}

fn last_release() -> Result<String, String> {
    let output = Command::new("git")
        .current_dir(workspace())
        .args(["describe", "--tags", "--abbrev=0", "--match", "v*"])
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "" => Err("there is no tag `v…` yet to compare with: name a commit".to_owned()),
        tag => Ok(tag.to_owned()),
    }
}

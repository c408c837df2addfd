//! `cargo xtask api`: the library's public API against the listing in the repository.

use crate::{cargo, workspace};

/// Lists it and compares, or writes the listing anew.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    let mut command = cargo();
    command
        .current_dir(workspace())
        .args([
            "run",
            "--quiet",
            "--locked",
            "-p",
            "rigs",
            "--bin",
            "public_api",
            "--",
        ])
        .args(arguments);
    crate::run(&mut command)
}

//! `cargo xtask models`: tries many orders in which threads may go on.

use crate::{cargo, workspace};

/// Builds and runs the models; the arguments go to them.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    crate::run(
        cargo()
            .args(["run", "--quiet", "--release", "--locked", "--"])
            .args(arguments)
            .current_dir(workspace().join("models")),
    )
}

//! `cargo xtask soak`: many clients, users who come and go, and no identity that is somebody else's.

use crate::{cargo, postgres, workspace};

/// Makes sure of a PostgreSQL server, builds the soak and runs it; the arguments go to it.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    crate::run(
        cargo()
            .args([
                "run",
                "--release",
                "--locked",
                "-p",
                "rigs",
                "--bin",
                "soak",
                "--",
            ])
            .args(arguments)
            .env("PG_BIN", postgres::ensure()?)
            .current_dir(workspace()),
    )
}

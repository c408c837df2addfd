//! `cargo xtask faults`: faults under the real server, with a real PostgreSQL and PgBouncer.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::{cargo, pgbouncer, postgres, workspace};

/// The rig and the server each hold ten thousand connections.
const RAISE_THE_LIMIT: &str = r#"ulimit -n "$(ulimit -Hn)" && exec "$0" "$@""#;

/// Builds the server as it is deployed, and the rig, and runs what the arguments name.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    let build = [
        "build",
        "--release",
        "--quiet",
        "-p",
        "chatkit-server",
        "-p",
        "rigs",
        "--bin",
        "chatkit-server",
        "--bin",
        "faults",
    ];
    let code = crate::run(cargo().args(build).current_dir(workspace()))?;
    if code != 0 {
        return Ok(code);
    }
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), Into::into);
    let programs = std::path::absolute(Path::new(&target).join("release"));
    let programs = programs.map_err(|error| error.to_string())?;
    let mut rig = Command::new("sh");
    rig.args(["-c", RAISE_THE_LIMIT])
        .arg(programs.join("faults"))
        .args(arguments)
        .env("CARGO_MANIFEST_DIR", workspace().join("tools/rigs"))
        .env("CHATKIT_SERVER", programs.join("chatkit-server"))
        // A server of somebody else's is not ours to stop.
        .env("PG_BIN", postgres::ensure()?)
        .env(pgbouncer::CHOICE, pgbouncer::ensure()?);
    crate::run(&mut rig)
}

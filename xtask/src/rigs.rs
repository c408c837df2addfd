//! Builds and runs the programs of the package `rigs`.

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::{servers, workspace};

const PACKAGE: &str = "rigs";

/// The server that the rigs test.
const SERVER: &str = "chatkit-server";

/// Raises the limit of open files: rig and server hold ten thousand connections each.
const RAISE_LIMIT: &str = r#"ulimit -n "$(ulimit -Hn)" && exec "$0" "$@""#;

/// Builds a rig with the features of `cargo xtask test`, so that both share the dependencies.
pub(crate) fn debug<'a>(sh: &'a Shell, name: &str) -> Result<Cmd<'a>> {
    let bins = ["--bin", SERVER, "--bin", name];
    cmd!(sh, "cargo build --quiet --locked --workspace --all-features {bins...}").run()?;
    let programs = workspace::target(sh)?.join("debug");
    let program = programs.join(name);
    Ok(cmd!(sh, "{program}").env("CHATKIT_SERVER", programs.join(SERVER)))
}

/// Builds a rig and the server as they are deployed.
fn release<'a>(sh: &'a Shell, name: &str) -> Result<Cmd<'a>> {
    let bins = ["--bin", SERVER, "--bin", name];
    cmd!(sh, "cargo build --release --locked -p {SERVER} -p {PACKAGE} {bins...}").run()?;
    let programs = workspace::target(sh)?.join("release");
    let program = programs.join(name);
    Ok(cmd!(sh, "sh -c {RAISE_LIMIT} {program}")
        .env("CARGO_MANIFEST_DIR", workspace::root().join("tools/rigs"))
        .env("CHATKIT_SERVER", programs.join(SERVER))
        .envs(servers::own_environment(sh)?))
}

/// `cargo xtask api`: the public API and its listing.
pub(crate) fn api(sh: &Shell, arguments: &[&str]) -> Result<()> {
    Ok(debug(sh, "public_api")?.args(arguments).run()?)
}

/// `cargo xtask vectors`: external JWS test vectors.
pub(crate) fn vectors(sh: &Shell, directory: &str) -> Result<()> {
    // Relative to the directory of the caller, not to that of the shell.
    Ok(debug(sh, "vectors")?.arg(std::path::absolute(directory)?).run()?)
}

/// `cargo xtask soak`: concurrent clients and their identities.
pub(crate) fn soak(sh: &Shell, arguments: &[&str]) -> Result<()> {
    Ok(release(sh, "soak")?.args(arguments).run()?)
}

/// `cargo xtask faults`: faults and overload, with database servers that the rig may stop.
pub(crate) fn faults(sh: &Shell, arguments: &[&str]) -> Result<()> {
    Ok(release(sh, "faults")?.args(arguments).run()?)
}

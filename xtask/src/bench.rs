//! `cargo xtask bench`: the library's cost beside floors and yardsticks.

use std::process::Command;

use crate::{cargo, pgbouncer, postgres, workspace};

const MICRO: &str = "micro";

/// Builds the workspace `bench`, which is one of its own, and starts its rig or its micro-benchmarks.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    let bench = workspace().join("bench");
    let manifest = bench.join("Cargo.toml");
    let target = bench.join("target");
    let with = |command: &mut Command, verb: &str| {
        command
            .args([verb, "--locked", "--manifest-path"])
            .arg(&manifest)
            .arg("--target-dir")
            .arg(&target);
    };
    let mut command = cargo();
    if let [first, rest @ ..] = arguments
        && first == MICRO
    {
        with(&mut command, "bench");
        command
            .args(["-p", MICRO, "--bench", "request", "--"])
            .args(rest);
        return crate::run(&mut command);
    }
    with(&mut command, "build");
    let code = crate::run(command.args(["--release", "--workspace", "--bins"]))?;
    if code != 0 {
        return Ok(code);
    }
    let mut rig = Command::new(target.join("release").join("rig"));
    rig.args(arguments)
        .env("CARGO_MANIFEST_DIR", bench.join("rig"))
        .env("PG_BIN", postgres::ensure()?)
        .env(pgbouncer::CHOICE, pgbouncer::ensure()?);
    crate::run(&mut rig)
}

//! Commands that build one of the separate workspaces `bench`, `fuzz` and `models`.

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::servers;
use crate::workspace::{require, root};

/// `cargo xtask models`: concurrent code under many thread schedules.
pub(crate) fn models(sh: &Shell, arguments: &[&str]) -> Result<()> {
    let _models = sh.push_dir("models");
    Ok(cmd!(sh, "cargo run --quiet --release --locked -- {arguments...}").run()?)
}

/// `cargo xtask bench`: the cost of the library next to other servers, or its micro-benchmarks.
pub(crate) fn bench(sh: &Shell, arguments: &[&str]) -> Result<()> {
    let _bench = sh.push_dir("bench");
    // The rig expects its programs there, also with a CARGO_TARGET_DIR.
    let target = root().join("bench/target");
    let _target = sh.push_env("CARGO_TARGET_DIR", &target);
    if let ["micro", arguments @ ..] = arguments {
        let micro = cmd!(sh, "cargo bench --locked -p micro --bench request -- {arguments...}");
        return Ok(micro.run()?);
    }
    cmd!(sh, "cargo build --locked --release --workspace --bins").run()?;
    let rig = target.join("release/rig");
    let rig = cmd!(sh, "{rig} {arguments...}").env("CARGO_MANIFEST_DIR", root().join("bench/rig"));
    Ok(rig.envs(servers::own_environment(sh)?).run()?)
}

/// `cargo xtask fuzz`: one target or all, each for a number of seconds.
pub(crate) fn fuzz(sh: &Shell, arguments: &[&str]) -> Result<()> {
    let (target, seconds): (_, u32) = match *arguments {
        [] => (None, 600),
        [seconds] if seconds.parse::<u32>().is_ok() => (None, seconds.parse()?),
        [target] => (Some(target), 600),
        [target, seconds] => (Some(target), seconds.parse().context("SECONDS is not a number")?),
        _ => bail!("usage: cargo xtask fuzz [TARGET] [SECONDS]"),
    };
    require(sh, "fuzz")?;
    let _fuzz = sh.push_dir("fuzz");
    let targets = cmd!(sh, "cargo fuzz list --fuzz-dir .").quiet().read()?;
    for name in target.map_or_else(|| targets.lines().collect(), |target| vec![target]) {
        // An input that takes a second could stop a server. The library has no `unsafe` code, so no
        // sanitizer is needed and the stable compiler suffices.
        sh.create_dir(format!("corpus/{name}"))?;
        cmd!(sh, "cargo fuzz run --fuzz-dir . --sanitizer none {name} corpus/{name} seeds/{name}")
            .args(["--", "-timeout=1", "-max_len=16384", "-rss_limit_mb=1024"])
            .args(["-print_final_stats=1", &format!("-max_total_time={seconds}")])
            .run()?;
    }
    Ok(())
}

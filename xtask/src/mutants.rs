//! `cargo xtask mutants`: the tests detect every small change to the security-critical modules.

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::servers;
use crate::workspace::{self, LIBRARY, require};

/// The modules, the test binaries that cover them in addition to the unit tests, and filters of test
/// names. Every mutant links the binaries again, so each module names the fewest that suffice.
const MODULES: [(&str, &[&str], &[&str]); 5] = [
    ("verify", &["layer", "stores"], &["verify", "contract", "keys", "sessions"]),
    ("authenticator", &["layer"], &[]),
    ("credential", &["layer"], &["credential", "requests", "sessions", "signatures"]),
    ("csrf", &[], &["csrf"]),
    ("cache", &["layer", "stores"], &["cache", "invalidation"]),
];

/// Tests the mutants of all modules or of the named ones. `.cargo/mutants.toml` lists the mutants
/// that no test can detect.
pub(crate) fn run(sh: &Shell, names: &[&str]) -> Result<()> {
    let known = MODULES.map(|(name, ..)| name);
    let all_known = names.iter().all(|name| known.contains(name));
    ensure!(all_known, "unknown module; the modules are {}", known.join(", "));
    require(sh, "mutants")?;
    let environment = servers::own_environment(sh)?;
    let mut failed = Vec::new();
    for (name, binaries, groups) in MODULES {
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let binaries: Vec<_> = binaries.iter().map(|binary| format!("--test={binary}")).collect();
        // The baseline of cargo-mutants would not select these tests.
        let tests = cmd!(sh, "cargo test -p {LIBRARY} -p tests --lib")
            .args(&binaries)
            .arg("--")
            .args(groups);
        tests.envs(environment.clone()).run().context("the tests fail without any mutant")?;
        let output = workspace::target(sh)?.join("mutants").join(name);
        sh.create_dir(&output)?;
        // The tests take a few seconds; the timeout allows for a busy machine.
        let mutants =
            cmd!(sh, "cargo mutants --no-shuffle --baseline=skip --timeout=120 --output {output}")
                .arg(format!("--file=crates/{LIBRARY}/src/{name}/**"))
                .arg("--cargo-arg=--lib")
                .args(binaries.iter().map(|binary| format!("--cargo-arg={binary}")))
                .args(["--", "--"])
                .args(groups);
        if mutants.envs(environment.clone()).run().is_err() {
            failed.push(name);
        }
    }
    ensure!(failed.is_empty(), "mutants survived or timed out in {}", failed.join(", "));
    Ok(())
}

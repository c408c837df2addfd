//! `cargo xtask test`: every test, with a real PostgreSQL and PgBouncer.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::servers;

/// Finds or fetches the servers and runs `cargo test`.
pub(crate) fn run(sh: &Shell, arguments: &[&str]) -> Result<()> {
    // `--workspace` would override a chosen package.
    let workspace = (!selects_package(arguments)).then_some("--workspace");
    let tests = cmd!(sh, "cargo test {workspace...} --all-features --no-fail-fast {arguments...}");
    Ok(tests.envs(servers::test_environment(sh)?).run()?)
}

fn selects_package(arguments: &[&str]) -> bool {
    arguments
        .iter()
        .take_while(|argument| **argument != "--")
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

#[cfg(test)]
mod tests {
    use super::selects_package;

    #[test]
    fn package_option_is_found() {
        assert!(selects_package(&["-p", "tests"]));
        assert!(selects_package(&["--package=tests"]));
        assert!(!selects_package(&["--locked", "expiry", "--", "-p"]));
    }
}

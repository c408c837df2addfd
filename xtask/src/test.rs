//! `cargo xtask test`: every test, with a real PostgreSQL and PgBouncer.

use std::env;

use crate::{cargo, pgbouncer, postgres, workspace};

/// Makes sure of the servers, then runs `cargo test`; its exit code is ours.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    let mut command = cargo();
    command.arg("test").current_dir(workspace());
    if !names_a_package(arguments) {
        command.arg("--workspace");
    }
    // The tests of one file say nothing about those of the next: all of them run.
    command
        .args(["--all-features", "--no-fail-fast"])
        .args(arguments);
    if env::var_os("TEST_DATABASE_URL").is_some() {
        eprintln!("PostgreSQL: the server of TEST_DATABASE_URL");
    } else {
        command.env("PG_BIN", postgres::ensure()?);
    }
    command.env(pgbouncer::CHOICE, pgbouncer::ensure()?);
    crate::run(&mut command)
}

/// `--workspace` would override the choice.
fn names_a_package(arguments: &[String]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_looked_for_among_cargos_own_arguments() {
        let named =
            |text: &str| names_a_package(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(named("-p tests"));
        assert!(named("--package=tests"));
        assert!(!named("--locked expiry -- -p"));
    }
}

//! The repository's own commands: `cargo xtask COMMAND`.

mod features;
mod interop;
mod mutants;
mod rigs;
mod servers;
mod supply;
mod test;
mod workspace;
mod workspaces;

use std::process::ExitCode;

use anyhow::{Result, bail};
use xshell::Shell;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [ARGUMENT…]     run every test with a real PostgreSQL and PgBouncer; arguments go to `cargo test`
                       TEST_DATABASE_URL: use this server; PG_BIN: directory of the PostgreSQL programs;
                       PGBOUNCER_BIN: the PgBouncer program; XTASK_NO_INSTALL=1: never install a package
  interop              test the example server with a real Better Auth (Node.js 20 or later)
  features             lint the library with no feature and with each feature alone
  api [--write]        compare the public API with its listing, or update the listing
  vectors DIRECTORY    check the library against external JWS test vectors
  supply [CHECK]       check dependencies, sbom, package, offline, msrv and minimal, or one of them,
                       or `semver [COMMIT]`
  fuzz [TARGET] [SECONDS]
                       run all fuzz targets or one, ten minutes each by default (cargo-fuzz)
  models [MODEL] [SCHEDULES]
                       test concurrent code under many thread schedules
  soak [REQUESTS | SECONDSs]
                       check that concurrent clients never receive another user's identity
  faults [--write] [NAME…]
                       inject faults and overload into the example server; --write updates docs/faults.md
  mutants [MODULE…]    check that the tests detect small changes to the security-critical modules
                       (cargo-mutants; takes hours)
  bench [ARGUMENT…]    measure the library next to other servers (--help lists the options), or with
                       `micro` run the micro-benchmarks";

fn main() -> ExitCode {
    let Err(error) = run() else {
        return ExitCode::SUCCESS;
    };
    let messages: Vec<_> = error.chain().map(ToString::to_string).collect();
    eprintln!("error: {}", messages.join("\n  caused by: "));
    ExitCode::FAILURE
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let sh = Shell::new()?;
    sh.change_dir(workspace::root());
    match *arguments {
        ["test", ref rest @ ..] => test::run(&sh, rest),
        ["interop"] => interop::run(&sh),
        ["features"] => features::run(&sh),
        ["api", ref rest @ ..] => rigs::api(&sh, rest),
        ["vectors", directory] => rigs::vectors(&sh, directory),
        ["supply", ref rest @ ..] => supply::run(&sh, rest),
        ["fuzz", ref rest @ ..] => workspaces::fuzz(&sh, rest),
        ["models", ref rest @ ..] => workspaces::models(&sh, rest),
        ["soak", ref rest @ ..] => rigs::soak(&sh, rest),
        ["faults", ref rest @ ..] => rigs::faults(&sh, rest),
        ["mutants", ref rest @ ..] => mutants::run(&sh, rest),
        ["bench", ref rest @ ..] => workspaces::bench(&sh, rest),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("{USAGE}"),
    }
}

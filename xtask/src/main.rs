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

  test [ARGUMENT…]           run all tests with a real PostgreSQL and PgBouncer; the
                             arguments go to `cargo test`
  interop                    test the example server with a real Better Auth
  features                   lint the library with no feature and with each alone
  api [--write]              compare the public API with its listing, or update it
  vectors DIRECTORY          check external JWS test vectors
  models [MODEL] [SCHEDULES] test concurrent code under many thread schedules
  fuzz [TARGET] [SECONDS]    run the fuzz targets, ten minutes each
  soak [REQUESTS | SECONDSs] check that identities of concurrent clients never mix
  faults [--write] [NAME…]   inject faults and overload into the example server
  mutants [MODULE…]          check that the tests detect small changes; takes hours
  bench [micro] [ARGUMENT…]  measure the library next to other servers (--help)
  supply [CHECK]             check dependencies and builds: dependencies, sbom,
                             package, offline, msrv, minimal, semver [COMMIT]

environment:
  TEST_DATABASE_URL          a running PostgreSQL for `test` and `interop`
  PG_BIN, PGBOUNCER_BIN      directory of `initdb` and `postgres`; PgBouncer program
  XTASK_NO_INSTALL=1         never install a system package";

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

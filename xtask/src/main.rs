//! The project's own commands: `cargo xtask`.

mod api;
mod bench;
mod features;
mod fuzz;
mod install;
mod interop;
mod models;
mod pgbouncer;
mod postgres;
mod setup;
mod soak;
mod test;
mod vectors;

use std::{
    env,
    path::PathBuf,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
usage: cargo xtask <command>

  test [arguments…]   run every test, with a real PostgreSQL and PgBouncer; the arguments go to `cargo test`
                      (TEST_DATABASE_URL: use that server; PG_BIN: directory of the binaries; PGBOUNCER_BIN: that
                      program; XTASK_NO_INSTALL=1: never install a system package)
  api [--write]       compare the public API with the listing in the repository, or write that anew
  features            build and lint better-auth-layer without features and with each one alone
  fuzz [target] [seconds]
                      make up input for each fuzz target, or for one, ten minutes unless said otherwise
  models [model] [orders]
                      try many orders in which threads may go on: single flight, batcher, refresh of keys
  soak [requests | SECONDSs]
                      many clients while users come and go; every answer has to be the caller's own. Ten million
                      requests through the service and a tenth of it over HTTP, unless said otherwise
  interop             run a real Better Auth (Node.js 20 or later) against the real server
  bench [arguments…]  measure the library beside floors and yardsticks (--help: what can be chosen), or with `micro`
                      run the micro-benchmarks
  vectors <directory> check the implementation against the vectors in a directory";

/// The exit code for a command that could not begin; anything else is the code of the program that ran.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_deref() {
        Some("test") => test::run(&rest),
        Some("api") if matches!(&*rest, [] | [_]) => api::run(&rest),
        Some("features") if rest.is_empty() => features::run(),
        Some("fuzz") => fuzz::run(&rest),
        Some("models") => models::run(&rest),
        Some("soak") => soak::run(&rest),
        Some("interop") if rest.is_empty() => interop::run(),
        Some("bench") => bench::run(&rest),
        Some("vectors") => vectors::run(&rest),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(text) if text == USAGE => {
            eprintln!("{USAGE}");
            ExitCode::from(UNUSABLE)
        }
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// The cargo that runs us.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command with our own input and output. `Ok` is its exit code.
fn run(command: &mut Command) -> Result<u8, String> {
    let status = command
        .status()
        .map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    // Ended by a signal: no code of its own.
    Ok(status
        .code()
        .map_or(1, |code| u8::try_from(code).unwrap_or(1)))
}

/// The directory of the workspace.
fn workspace() -> PathBuf {
    // Set by `cargo run`, so that a moved checkout is found without a rebuild.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map(PathBuf::from).unwrap_or(own)
}

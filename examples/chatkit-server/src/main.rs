//! A ChatKit endpoint behind `BetterAuthLayer`, on hyper alone. The README says how to run it.

mod app;
mod body;
mod chatkit;
mod check;
mod configuration;
mod cors;
mod demo;
mod listener;
mod log;
mod metrics;
mod options;
mod outlet;
mod protected;
mod proxy;
mod refusal;
mod serve;
mod server;
mod start_error;
mod token;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use self::{
    options::{Command, USAGE},
    start_error::StartError,
};

/// The exit code of a check that has found something wrong.
const UNHEALTHY: u8 = 1;

/// The exit code of a program that could not begin.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => print(USAGE).map(|()| ExitCode::SUCCESS),
        Ok(Command::Check) => check(),
        Ok(Command::Token { email, subject }) => {
            let token = token::run(&email, subject.as_deref());
            token
                .and_then(|token| print(&format!("{token}\n")))
                .map(|()| ExitCode::SUCCESS)
        }
        Ok(Command::Serve) => serve::run().map(|()| ExitCode::SUCCESS),
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(|error| {
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(io::stderr(), "error: {error}");
        ExitCode::from(UNUSABLE)
    })
}

fn check() -> Result<ExitCode, StartError> {
    let diagnosis = check::run()?;
    print(&diagnosis.to_string())?;
    if diagnosis.is_healthy() {
        return Ok(ExitCode::SUCCESS);
    }
    print(
        "Something has failed: as it is, requests would be refused, or the server would not start.\n",
    )?;
    Ok(ExitCode::from(UNHEALTHY))
}

fn print(text: &str) -> Result<(), StartError> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| StartError::new(format!("standard output cannot be written: {error}")))
}

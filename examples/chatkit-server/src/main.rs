//! A ChatKit endpoint behind `BetterAuthLayer`, on hyper. The README describes how to run it.

mod app;
mod chatkit;
mod check;
mod cors;
mod metrics;
mod output;
mod serve;
mod server;
mod token;

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

type Error = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = include_str!("usage.txt");

fn main() -> ExitCode {
    let arguments = env::args_os().skip(1);
    let arguments: Vec<_> = arguments
        .map(|text| text.to_string_lossy().into_owned())
        .collect();
    run(&arguments).unwrap_or_else(|error| {
        // Standard error may be closed.
        let _ = writeln!(io::stderr(), "error: {error}");
        ExitCode::from(2)
    })
}

fn run(arguments: &[String]) -> Result<ExitCode, Error> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = match *arguments {
        [] => return serve::run().map(|()| ExitCode::SUCCESS),
        ["check"] => return check::run(),
        ["token", "--email", email] => token::from_env(email, None)?,
        ["token", "--email", email, "--sub", id] => token::from_env(email, Some(id))?,
        ["help" | "--help" | "-h"] => USAGE.to_owned(),
        _ => return Err(format!("invalid arguments: {}\n\n{USAGE}", arguments.join(" ")).into()),
    };
    writeln!(io::stdout(), "{}", output.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

//! What happens, on standard error.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use better_auth_layer::config::Env;
use tracing_subscriber::EnvFilter;

use crate::outlet::Outlet;
use crate::start_error::StartError;

/// Starts logging where `RUST_LOG` says so, and else not at all.
pub(crate) fn start_if_asked(environment: &Env, outlet: Outlet) -> Result<(), StartError> {
    match environment.get("RUST_LOG")? {
        Some(_) => start(environment, outlet),
        None => Ok(()),
    }
}

/// Starts logging as `RUST_LOG` says.
pub(crate) fn start(environment: &Env, outlet: Outlet) -> Result<(), StartError> {
    let filter = environment.get("RUST_LOG")?.unwrap_or("info");
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        let problem = format!("is not a filter of log lines ({error})");
        let remedy = "write a level, such as `info`, or `info,better_auth_layer=debug`";
        StartError::of_variable("RUST_LOG", &problem, remedy)
    })?;
    let in_colour = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(in_colour)
        .with_writer(move || outlet.clone())
        .try_init()
        .map_err(|error| StartError::new(format!("logging cannot be started: {error}")))
}

//! The console and the log, which drop lines instead of blocking requests.

use std::io::{self, IsTerminal as _, Write};

use better_auth_layer::{ConfigError, config::Env};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::Error;

/// A writer for a pipe that may be full. Dropping the guard writes the remaining lines.
pub(crate) fn non_blocking(output: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    let builder = NonBlockingBuilder::default().lossy(true);
    builder.buffered_lines_limit(4096).finish(output)
}

/// Starts the log on standard error, with the filter in `RUST_LOG` or a default.
pub(crate) fn start_log(env: &Env, default: &str) -> Result<WorkerGuard, Error> {
    let filter = env.get("RUST_LOG")?.unwrap_or(default);
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        let remedy = "write a level, such as `info`, or `info,better_auth_layer=debug`";
        ConfigError::new("RUST_LOG", format!("is not a log filter ({error})"), remedy)
    })?;
    let (writer, guard) = non_blocking(io::stderr());
    let ansi = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    subscriber.with_ansi(ansi).with_writer(writer).try_init()?;
    Ok(guard)
}

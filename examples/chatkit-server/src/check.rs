//! The command `check`: checks the settings and the deployment without serving requests.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use better_auth_layer::diagnostics::{Check, HealthReport};
use better_auth_layer::{BetterAuthLayer, Config, config::Env};
use chatkit_service::Backend;
use tokio::{net::lookup_host, runtime::Runtime};

use crate::{Error, cors, output, serve};

pub(crate) fn run() -> Result<ExitCode, Error> {
    let env = Env::process().with_file(".env")?;
    let log = output::start_log(&env, "off")?;
    let mut report = HealthReport::new();
    let runtime = Runtime::new()?;
    report.push(match runtime.block_on(server(&env)) {
        Ok(()) => Check::ok(
            "server",
            "HOST, PORT, CORS_ORIGINS and CHATKIT_UPSTREAM are valid",
        ),
        Err(error) => Check::failed("server", error.to_string()),
    });
    let deployment = runtime.block_on(BetterAuthLayer::diagnose_env(&env));
    report.extend(deployment.checks().iter().cloned());
    // A blocked lookup must not delay the report.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(log);
    let mut text = report.to_string();
    if !report.is_healthy() {
        text += "A check has failed: the server would not start, or would reject requests.\n";
    }
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::from(u8::from(!report.is_healthy())))
}

/// Checks the server's own variables. The port may be in use by the running server.
async fn server(env: &Env) -> Result<(), Error> {
    let _addresses = lookup_host(serve::host_and_port(env)?)
        .await
        .map_err(|error| format!("`HOST`: {error}"))?;
    Backend::new(env.get("CHATKIT_UPSTREAM")?)?;
    // An invalid configuration is reported by the checks of the deployment.
    if let Ok(config) = Config::from_env(env) {
        let _ = cors::layer(env, &config)?;
    }
    Ok(())
}

//! The command `check`: whether everything is right, before anybody is let in.

use std::time::Duration;

use better_auth_layer::config::Env;
use better_auth_layer::diagnostics::{Check, HealthReport};
use better_auth_layer::{BetterAuthLayer, Config};
use tokio::runtime::Runtime;

use crate::outlet::Outlet;
use crate::protected::Protected;
use crate::start_error::StartError;
use crate::{configuration, cors, listener, log};

/// How long the end may be held up by a lookup that blocks or by a console that nobody reads.
const PATIENCE: Duration = Duration::from_secs(1);

/// What `serve` would start with, looked at in turn.
pub(crate) fn run() -> Result<HealthReport, StartError> {
    let mut diagnosis = HealthReport::new();
    match configuration::environment() {
        Ok(environment) => {
            let outlet = Outlet::new(std::io::stderr())?;
            // What is wrong is on standard output; the log is for those who ask for more.
            if let Err(error) = log::start_if_asked(&environment, outlet.clone()) {
                diagnosis.push(refused(&error));
            }
            diagnosis.extend(of_the_server(&environment, &outlet));
            let runtime = Runtime::new()?;
            let deployment = runtime.block_on(of_the_deployment(&environment));
            // What hangs has been reported; it does not hold up the report.
            runtime.shutdown_timeout(PATIENCE);
            diagnosis.extend(deployment.checks().iter().cloned());
            outlet.flush(PATIENCE);
        }
        Err(error) => diagnosis.push(error.into()),
    }
    Ok(diagnosis)
}

async fn of_the_deployment(environment: &Env) -> HealthReport {
    let is_nothing_set = Config::from_env(environment)
        .is_ok_and(|settings| !settings.has_database() && !settings.has_credentials());
    if !is_nothing_set {
        return BetterAuthLayer::diagnose_env(environment).await;
    }
    let mut diagnosis = HealthReport::new();
    diagnosis.push(
        Check::failed("settings", "nothing is set, and the server would serve a demo").with_remedy(
            "set DATABASE_URL, and BETTER_AUTH_SECRET or BETTER_AUTH_URL, here or in a file `.env` in the working directory",
        ),
    );
    diagnosis
}

/// The program's own variables. Whether the port is free is not asked: the server may be running.
fn of_the_server(environment: &Env, outlet: &Outlet) -> Vec<Check> {
    // Settings that cannot be read are the deployment's finding.
    let pages = Config::from_env(environment).map_or(Ok(()), |settings| {
        cors::layer(environment, &settings).map(drop)
    });
    let outcomes = [
        listener::address(environment).map(drop),
        pages,
        Protected::new(environment, outlet.clone()).map(drop),
    ];
    let findings: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .map(refused)
        .collect();
    if findings.is_empty() {
        return vec![Check::ok(
            "server",
            "HOST, PORT, CORS_ORIGINS and CHATKIT_UPSTREAM can be used",
        )];
    }
    findings
}

/// Its sentence says what to write instead.
fn refused(error: &StartError) -> Check {
    Check::failed("server", error.to_string())
}

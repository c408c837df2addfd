//! The command `check`: whether everything is right, before anybody is let in.

use std::time::Duration;

use better_auth_layer::{BetterAuthLayer, Diagnosis, Environment, Finding, Settings};
use tokio::runtime::Runtime;

use crate::{
    configuration, cors, listener, log, outlet::Outlet, protected::Protected,
    start_error::StartError,
};

/// How long the end may be held up by a lookup that blocks or by a console that nobody reads.
const PATIENCE: Duration = Duration::from_secs(1);

/// What `serve` would start with, looked at in turn.
pub(crate) fn run() -> Result<Diagnosis, StartError> {
    let mut diagnosis = Diagnosis::new();
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
            diagnosis.extend(deployment.findings().iter().cloned());
            outlet.flush(PATIENCE);
        }
        Err(error) => diagnosis.push(error.into()),
    }
    Ok(diagnosis)
}

async fn of_the_deployment(environment: &Environment) -> Diagnosis {
    let is_nothing_set = Settings::read(environment)
        .is_ok_and(|settings| settings.database_url().is_none() && !settings.accept_a_credential());
    if !is_nothing_set {
        return BetterAuthLayer::check_env(environment).await;
    }
    let mut diagnosis = Diagnosis::new();
    diagnosis.push(
        Finding::failed("settings", "nothing is set, and the server would serve a demo").with_remedy(
            "set DATABASE_URL, and BETTER_AUTH_SECRET or BETTER_AUTH_URL, here or in a file `.env` in the working directory",
        ),
    );
    diagnosis
}

/// The program's own variables. Whether the port is free is not asked: the server may be running.
fn of_the_server(environment: &Environment, outlet: &Outlet) -> Vec<Finding> {
    // Settings that cannot be read are the deployment's finding.
    let pages = Settings::read(environment).map_or(Ok(()), |settings| {
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
        return vec![Finding::ok(
            "server",
            "HOST, PORT, CORS_ORIGINS and CHATKIT_UPSTREAM can be used",
        )];
    }
    findings
}

/// Its sentence says what to write instead.
fn refused(error: &StartError) -> Finding {
    Finding::failed("server", error.to_string())
}

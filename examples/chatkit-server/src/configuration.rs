//! What the program was told, and the layer that follows from it.

use std::time::Duration;

use better_auth_layer::config::Env;
use better_auth_layer::sqlite::SqliteStore;
use better_auth_layer::{BetterAuthLayer, Config, ConfigError};

use crate::demo::{self, Demo};
use crate::start_error::StartError;

/// So long an answer may go on after its user has signed out. Answers are short, so few are open at a time.
const RECHECK_INTERVAL: Duration = Duration::from_millis(500);

/// The environment, with the `.env` file of the working directory behind it.
pub(crate) fn environment() -> Result<Env, ConfigError> {
    Env::process().with_file(".env")
}

/// The layer for the database and the deployment of the environment; where neither is set, for a demo.
///
/// One of the two alone is an oversight, and a demo in its place would hide it.
pub(crate) async fn layer(
    settings: &Config,
) -> Result<(BetterAuthLayer, Option<Demo>), StartError> {
    if settings.has_database() || settings.has_credentials() {
        let layer = BetterAuthLayer::from_config(settings)
            .await?
            .recheck_interval(RECHECK_INTERVAL)
            .build()?;
        return Ok((layer, None));
    }
    let demo = Demo::create()?;
    let layer = settings
        .builder()
        .issuer(demo::issuer(settings))
        .secret(demo.secret()?)
        .store(SqliteStore::open(demo.database())?)
        .recheck_interval(RECHECK_INTERVAL)
        .build()?;
    Ok((layer, Some(demo)))
}

//! What the program was told, and the layer that follows from it.

use better_auth_layer::{BetterAuthLayer, ConfigError, Environment, Settings, SqliteStore};

use crate::{
    demo::{self, Demo},
    start_error::StartError,
};

/// The environment, with the `.env` file of the working directory behind it.
pub(crate) fn environment() -> Result<Environment, ConfigError> {
    Environment::from_process().with_file(".env")
}

/// The layer for the database and the deployment of the environment; where neither is set, for a demo.
///
/// One of the two alone is an oversight, and a demo in its place would hide it.
pub(crate) async fn layer(
    settings: &Settings,
) -> Result<(BetterAuthLayer, Option<Demo>), StartError> {
    if settings.database_url().is_some() || settings.accept_a_credential() {
        let layer = BetterAuthLayer::from_settings(settings).await?.build()?;
        return Ok((layer, None));
    }
    let demo = Demo::create()?;
    let layer = settings
        .builder()
        .issuer(demo::issuer(settings))
        .secret(demo.secret()?)
        .store(SqliteStore::open(demo.database())?)
        .build()?;
    Ok((layer, Some(demo)))
}

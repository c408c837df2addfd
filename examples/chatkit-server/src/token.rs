//! Test tokens. In a deployment the application issues tokens.

use better_auth_layer::{Config, ConfigError, Secret, config::Env};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use crate::Error;

/// A token signed with the secret in the environment.
pub(crate) fn from_env(email: &str, user_id: Option<&str>) -> Result<String, Error> {
    let config = Config::from_env(&Env::process().with_file(".env")?)?;
    let secrets = config.secrets().ok_or_else(|| {
        ConfigError::missing("BETTER_AUTH_SECRET", "set it to the server's secret")
    })?;
    sign(secrets.current(), &config, config.issuer(), email, user_id)
}

/// A token that is valid for one hour on a server with this configuration.
pub(crate) fn sign(
    secret: &Secret,
    config: &Config,
    issuer: Option<&str>,
    email: &str,
    user_id: Option<&str>,
) -> Result<String, Error> {
    let now = jiff::Timestamp::now().as_second();
    let audience = config.audiences().first();
    let mut claims = json!({
        "email": email, "sub": user_id, "iss": issuer, "aud": audience, "iat": now, "exp": now + 3600,
    });
    if let Some(claims) = claims.as_object_mut() {
        claims.retain(|_, value| !value.is_null());
    }
    let key = EncodingKey::from_secret(secret.expose());
    Ok(encode(&Header::default(), &claims, &key)?)
}

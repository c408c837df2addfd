//! Tokens for trying things out. In a real deployment the application makes them.

use better_auth_layer::{Config, Secret};
use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;

use crate::configuration::environment;
use crate::start_error::StartError;

/// Long enough to try everything, short enough to be forgotten in a shell's history.
const LIFETIME_SECONDS: i64 = 60 * 60;

#[derive(Serialize)]
struct Claims<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    iat: i64,
    exp: i64,
}

/// The command `token`: a token signed with the secret of the environment.
pub(crate) fn run(email: &str, subject: Option<&str>) -> Result<String, StartError> {
    let settings = Config::from_env(&environment()?)?;
    let Some(secrets) = settings.secrets() else {
        return Err(StartError::of_variable(
            "BETTER_AUTH_SECRET",
            "is not set",
            "set it to the secret that the server runs with",
        ));
    };
    mint(
        secrets.current(),
        &settings,
        settings.issuer(),
        email,
        subject,
    )
}

/// A token that a server with these settings accepts, once it finds the user.
pub(crate) fn mint(
    secret: &Secret,
    settings: &Config,
    issuer: Option<&str>,
    email: &str,
    subject: Option<&str>,
) -> Result<String, StartError> {
    let now = Timestamp::now().as_second();
    let claims = Claims {
        email,
        sub: subject,
        iss: issuer,
        aud: settings.audiences().first().map(String::as_str),
        iat: now,
        exp: now.saturating_add(LIFETIME_SECONDS),
    };
    // The default header is HS256 with `typ: JWT`, which Better Auth's own mail tokens lack.
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(secret.expose()),
    )
    .map_err(|error| StartError::new(format!("the token cannot be signed: {error}")))
}

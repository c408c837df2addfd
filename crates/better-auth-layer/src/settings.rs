//! Settings from the environment.

use crate::builder::BetterAuthLayerBuilder;
use crate::config_error::ConfigError;
use crate::database_url::DatabaseUrl;
use crate::environment::Environment;
use crate::layer::BetterAuthLayer;
use crate::secret::{Secret, SecretRing};
use crate::store::{Schema, TableName, TableNameError};

/// The settings of a layer, as every program that uses this crate reads them.
///
/// | variable | meaning |
/// |---|---|
/// | `DATABASE_URL` | where users and sessions are ([`DatabaseUrl`]) |
/// | `BETTER_AUTH_SECRET` | the secret shared with Better Auth |
/// | `BETTER_AUTH_SECRETS` | versioned secrets, current one first; wins over `BETTER_AUTH_SECRET` |
/// | `BETTER_AUTH_ISSUER` | required `iss` |
/// | `BETTER_AUTH_AUDIENCE` | values of `aud` that mean this service, between commas |
/// | `BETTER_AUTH_SCHEMA` | `auto` (default), `camel` or `snake` |
/// | `BETTER_AUTH_USER_TABLE`, `BETTER_AUTH_SESSION_TABLE` | the tables, such as `users` or `auth.user` |
///
/// All are optional here; [`BetterAuthLayerBuilder::build`] says what is missing.
///
/// ```
/// use better_auth_layer::{Environment, Settings};
///
/// let environment: Environment = [
///     ("BETTER_AUTH_SECRET", "correct-horse-battery-staple-4711"),
///     ("BETTER_AUTH_ISSUER", "https://app.example.com"),
/// ]
/// .into_iter()
/// .collect();
/// let settings = Settings::read(&environment)?;
/// assert_eq!(settings.issuer(), Some("https://app.example.com"));
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    database_url: Option<DatabaseUrl>,
    secrets: Option<SecretRing>,
    issuer: Option<String>,
    audiences: Vec<String>,
    schema: Schema,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable that cannot be used and says what to write.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let database_url = environment
            .get("DATABASE_URL")?
            .map(str::parse)
            .transpose()?;
        let audiences = environment.get("BETTER_AUTH_AUDIENCE")?.unwrap_or_default();
        Ok(Self {
            database_url,
            secrets: secrets(environment)?,
            issuer: environment.get("BETTER_AUTH_ISSUER")?.map(str::to_owned),
            audiences: audiences
                .split(',')
                .map(str::trim)
                .filter(|audience| !audience.is_empty())
                .map(str::to_owned)
                .collect(),
            schema: schema(environment)?,
        })
    }

    /// `DATABASE_URL`
    #[must_use]
    pub fn database_url(&self) -> Option<&DatabaseUrl> {
        self.database_url.as_ref()
    }

    /// `BETTER_AUTH_SECRETS`, else `BETTER_AUTH_SECRET`
    #[must_use]
    pub fn secrets(&self) -> Option<&SecretRing> {
        self.secrets.as_ref()
    }

    /// `BETTER_AUTH_ISSUER`
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `BETTER_AUTH_AUDIENCE`
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `BETTER_AUTH_SCHEMA`, `BETTER_AUTH_USER_TABLE` and `BETTER_AUTH_SESSION_TABLE`
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// A builder with all of this in it but the store.
    pub fn builder(&self) -> BetterAuthLayerBuilder {
        let mut builder = BetterAuthLayer::builder();
        if let Some(secrets) = &self.secrets {
            builder = builder.secrets(secrets.clone());
        }
        if let Some(issuer) = &self.issuer {
            builder = builder.issuer(issuer);
        }
        for audience in &self.audiences {
            builder = builder.audience(audience);
        }
        builder
    }
}

fn secrets(environment: &Environment) -> Result<Option<SecretRing>, ConfigError> {
    let remedy =
        "set it to the value that Better Auth runs with; make one with `openssl rand -base64 32`";
    let (setting, ring) = if let Some(list) = environment.get("BETTER_AUTH_SECRETS")? {
        ("BETTER_AUTH_SECRETS", SecretRing::parse(list))
    } else if let Some(secret) = environment.get("BETTER_AUTH_SECRET")? {
        (
            "BETTER_AUTH_SECRET",
            Secret::new(secret).map(SecretRing::new),
        )
    } else {
        return Ok(None);
    };
    ring.map(Some)
        .map_err(|error| ConfigError::new(setting, format!("cannot be used: {error}"), remedy))
}

fn schema(environment: &Environment) -> Result<Schema, ConfigError> {
    let setting = "BETTER_AUTH_SCHEMA";
    let mut schema = match environment.get(setting)? {
        None | Some("auto") => Schema::auto(),
        Some("camel") => Schema::camel(),
        Some("snake") => Schema::snake(),
        Some(_) => {
            return Err(ConfigError::new(
                setting,
                "is none of the ways to name columns",
                "write `auto`, `camel` (Better Auth's own: expiresAt) or `snake` (expires_at)",
            ));
        }
    };
    if let Some(table) = table(environment, "BETTER_AUTH_USER_TABLE")? {
        schema = schema.with_user_table(table);
    }
    if let Some(table) = table(environment, "BETTER_AUTH_SESSION_TABLE")? {
        schema = schema.with_session_table(table);
    }
    Ok(schema)
}

fn table(
    environment: &Environment,
    setting: &'static str,
) -> Result<Option<TableName>, ConfigError> {
    let Some(text) = environment.get(setting)? else {
        return Ok(None);
    };
    let table = text.parse::<TableName>();
    table.map(Some).map_err(|TableNameError| {
        ConfigError::new(
            setting,
            "is no table name",
            "write `table`, `schema.table` or, quoted as in SQL, `\"schema\".\"table\"`",
        )
    })
}

//! Configuration from environment variables.
//!
//! Every program reads the same variables in the same way: [`Env`] → [`Config`] → builder. The
//! environment of the process is never modified.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database_store;
mod database_url;
mod env;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod from_env;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::database_store::DatabaseStore;
use self::database_url::DatabaseUrl;
pub use self::env::Env;
use crate::base_url::BaseUrl;
use crate::builder::{ApiKeys, BetterAuthLayerBuilder};
use crate::config_error::ConfigError;
use crate::csrf::TrustedOrigin;
use crate::jwks::RemoteKeySource;
use crate::layer::BetterAuthLayer;
use crate::secret::Secret;
pub use crate::secret::{SecretError, SecretRing};
use crate::store::{Schema, TableName};

/// The configuration of a layer.
///
/// | variable | meaning |
/// |---|---|
/// | `DATABASE_URL` | the database: `postgres://…`, `postgresql://…` (a driver suffix such as `+psycopg2` is ignored), `sqlite:path` |
/// | `BETTER_AUTH_SECRET` | the secret of Better Auth |
/// | `BETTER_AUTH_SECRETS` | versioned secrets, the current one first; replaces `BETTER_AUTH_SECRET` |
/// | `BETTER_AUTH_URL` | the URL of the Better Auth deployment ([`base_url`](BetterAuthLayerBuilder::base_url)) |
/// | `BETTER_AUTH_JWKS_URL` | the URL of the public keys; default: `/api/auth/jwks` of `BETTER_AUTH_URL` |
/// | `BETTER_AUTH_JWKS_ISSUER` | `iss` of JWTs that are signed with a public key, if Better Auth's option `jwt.issuer` is set |
/// | `BETTER_AUTH_ISSUER` | required `iss` of JWTs that are signed with the secret |
/// | `BETTER_AUTH_AUDIENCE` | accepted values of `aud`, comma-separated |
/// | `BETTER_AUTH_TRUSTED_ORIGINS` | origins whose pages may send the session cookie, comma-separated ([`TrustedOrigin`]) |
/// | `BETTER_AUTH_COOKIE_PREFIX` | the prefix of cookie names; default `better-auth` |
/// | `BETTER_AUTH_API_KEYS` | `on` accepts API keys in the header `x-api-key`; default `off` |
/// | `BETTER_AUTH_CACHE` | `off` (default); `on` caches users and sessions for 5 seconds ([`CachedStore`](crate::cache::CachedStore)); `listen` adds a `PostgresListener` |
/// | `DATABASE_DIRECT_URL` | the URL of the database without a pooler, for the listener; default `DATABASE_URL` |
/// | `BETTER_AUTH_SCHEMA` | the naming of columns: `auto` (default), `camel` or `snake` |
/// | `BETTER_AUTH_USER_TABLE`, `BETTER_AUTH_SESSION_TABLE` | table names such as `users` or `auth.user`; default: detected |
///
/// All variables are optional here. [`BetterAuthLayerBuilder::build`] reports the missing ones.
///
/// If `BETTER_AUTH_URL` and the variables for public keys are not set, and `BETTER_AUTH_ISSUER` is an
/// `https` origin, that origin is used as `BETTER_AUTH_URL`. The JWTs of Better Auth's
/// `/api/auth/token` are then accepted, and a log message reports it.
///
/// ```
/// use better_auth_layer::Config;
/// use better_auth_layer::config::Env;
///
/// let env: Env = [
///     ("BETTER_AUTH_SECRET", "correct-horse-battery-staple-4711"),
///     ("BETTER_AUTH_ISSUER", "https://app.example.com"),
/// ]
/// .into_iter()
/// .collect();
/// let config = Config::from_env(&env)?;
/// assert_eq!(config.issuer(), Some("https://app.example.com"));
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "postgres"),
    expect(
        dead_code,
        reason = "every variable is validated, even if the feature that uses it is disabled"
    )
)]
pub struct Config {
    database_url: Option<DatabaseUrl>,
    database_direct_url: Option<String>,
    secrets: Option<SecretRing>,
    base_url: Option<BaseUrl>,
    jwks_url: Option<String>,
    jwks_issuer: Option<String>,
    issuer: Option<String>,
    audiences: Vec<String>,
    trusted_origins: Vec<TrustedOrigin>,
    cookie_prefix: Option<String>,
    api_keys: bool,
    cache: CacheMode,
    schema: Schema,
}

/// `BETTER_AUTH_CACHE`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CacheMode {
    Off,
    On,
    Listen,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable that is invalid and the remedy.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let text = |_: &'static str, value: &str| Ok(value.to_owned());
        let has_jwks_url = env.get("BETTER_AUTH_JWKS_URL")?.is_some();
        let secrets = env.parse("BETTER_AUTH_SECRETS", |setting, value| {
            SecretRing::parse(value).map_err(|error| invalid_secret(setting, &error))
        })?;
        let secret = env.parse("BETTER_AUTH_SECRET", |setting, value| {
            Secret::new(value).map_err(|error| invalid_secret(setting, &error))
        });
        Ok(Self {
            database_url: env.parse("DATABASE_URL", DatabaseUrl::parse)?,
            database_direct_url: env.parse("DATABASE_DIRECT_URL", text)?,
            secrets: match secrets {
                Some(secrets) => Some(secrets),
                None => secret?.map(SecretRing::new),
            },
            base_url: env.parse("BETTER_AUTH_URL", |setting, value| {
                base_url(setting, value, has_jwks_url)
            })?,
            jwks_url: env.parse("BETTER_AUTH_JWKS_URL", jwks_url)?,
            jwks_issuer: env.parse("BETTER_AUTH_JWKS_ISSUER", text)?,
            issuer: env.parse("BETTER_AUTH_ISSUER", text)?,
            audiences: env
                .parse("BETTER_AUTH_AUDIENCE", |_, value| {
                    Ok(list(value).map(str::to_owned).collect())
                })?
                .unwrap_or_default(),
            trusted_origins: env
                .parse("BETTER_AUTH_TRUSTED_ORIGINS", trusted_origins)?
                .unwrap_or_default(),
            cookie_prefix: env.parse("BETTER_AUTH_COOKIE_PREFIX", text)?,
            api_keys: env
                .parse("BETTER_AUTH_API_KEYS", api_keys)?
                .unwrap_or(false),
            cache: env
                .parse("BETTER_AUTH_CACHE", cache_mode)?
                .unwrap_or(CacheMode::Off),
            schema: schema(env)?,
        })
    }

    /// `BETTER_AUTH_SECRETS`, or `BETTER_AUTH_SECRET`
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

    /// Whether `DATABASE_URL` is set.
    #[must_use]
    pub fn has_database(&self) -> bool {
        self.database_url.is_some()
    }

    /// Whether pages of an origin may send the session cookie: the origin matches
    /// `BETTER_AUTH_TRUSTED_ORIGINS` or is the origin of `BETTER_AUTH_URL`.
    ///
    /// A CORS layer can use it to allow credentials for the same origins.
    #[must_use]
    pub fn trusts_origin(&self, origin: &str) -> bool {
        self.base_url
            .as_ref()
            .is_some_and(|url| url.origin() == origin)
            || self
                .trusted_origins
                .iter()
                .any(|trusted| trusted.matches(origin))
    }

    /// Whether a secret, a key source or API keys are configured, so that requests can be
    /// authenticated.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.secrets.is_some()
            || self.api_keys
            || self.base_url.is_some()
            || self.jwks_url.is_some()
    }

    /// Returns a builder with this configuration, but without a store.
    pub fn builder(&self) -> BetterAuthLayerBuilder {
        let mut builder = BetterAuthLayer::builder();
        if let Some(secrets) = &self.secrets {
            builder = builder.secrets(secrets.clone());
        }
        if let Some(url) = self.base_url.clone().or_else(|| self.issuer_as_base_url()) {
            builder = builder.deployment(url);
        }
        if let Some(url) = &self.jwks_url {
            builder = builder.jwks_url(url);
        }
        if let Some(issuer) = &self.jwks_issuer {
            builder = builder.jwks_issuer(issuer);
        }
        if let Some(issuer) = &self.issuer {
            builder = builder.issuer(issuer);
        }
        for audience in &self.audiences {
            builder = builder.audience(audience);
        }
        for origin in &self.trusted_origins {
            builder = builder.trust(origin.clone());
        }
        if let Some(prefix) = &self.cookie_prefix {
            builder = builder.cookie_prefix(prefix);
        }
        if self.api_keys {
            builder = builder.api_keys(ApiKeys::new());
        }
        builder
    }

    /// `BETTER_AUTH_ISSUER` as the base URL, if it is an `https` origin and nothing else configures
    /// public keys.
    fn issuer_as_base_url(&self) -> Option<BaseUrl> {
        if self.jwks_url.is_some() || self.jwks_issuer.is_some() {
            return None;
        }
        let issuer = self.issuer.as_deref()?;
        let url = BaseUrl::parse(issuer, "BETTER_AUTH_ISSUER").ok()?;
        if !url.is_https() || url.origin() != issuer {
            return None;
        }
        tracing::info!(
            jwks_url = url.jwks_url(),
            "BETTER_AUTH_URL is not set: using BETTER_AUTH_ISSUER, so JWTs that are signed with the keys of this issuer are accepted"
        );
        Some(url)
    }
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn invalid_secret(setting: &'static str, error: &SecretError) -> ConfigError {
    ConfigError::new(
        setting,
        format!("is invalid: {error}"),
        "set it to the value of Better Auth; generate a new one with `openssl rand -base64 32`",
    )
}

fn base_url(
    setting: &'static str,
    value: &str,
    has_jwks_url: bool,
) -> Result<BaseUrl, ConfigError> {
    let url = BaseUrl::parse(value, setting)?;
    if !has_jwks_url && RemoteKeySource::new(&url.jwks_url()).is_err() {
        return Err(ConfigError::new(
            setting,
            "is not an `https` URL, so keys could be replaced on the network",
            "write `https://`, or set BETTER_AUTH_JWKS_URL to an `https` URL",
        ));
    }
    Ok(url)
}

fn jwks_url(setting: &'static str, value: &str) -> Result<String, ConfigError> {
    RemoteKeySource::new(value).map_err(|_| {
        ConfigError::new(
            setting,
            "is not a valid key set URL",
            "write an `https` URL without user and password, such as `https://app.example.com/api/auth/jwks`",
        )
    })?;
    Ok(value.to_owned())
}

fn trusted_origins(setting: &'static str, value: &str) -> Result<Vec<TrustedOrigin>, ConfigError> {
    let patterns = list(value).map(|pattern| {
        pattern.parse().map_err(|_| {
            ConfigError::new(
                setting,
                format!("contains `{pattern}`, which is not an origin or matches every origin"),
                "write comma-separated origins without a trailing slash, such as `https://app.example.com` or `https://*.example.com`",
            )
        })
    });
    patterns.collect()
}

fn api_keys(setting: &'static str, value: &str) -> Result<bool, ConfigError> {
    match value {
        "off" | "false" => Ok(false),
        "on" | "true" => Ok(true),
        _ => Err(ConfigError::new(
            setting,
            "is neither `on` nor `off`",
            "write `on` to accept API keys",
        )),
    }
}

fn cache_mode(setting: &'static str, value: &str) -> Result<CacheMode, ConfigError> {
    match value {
        "off" | "false" => Ok(CacheMode::Off),
        "on" | "true" => Ok(CacheMode::On),
        "listen" => Ok(CacheMode::Listen),
        _ => Err(ConfigError::new(
            setting,
            "is not `off`, `on` or `listen`",
            "write `on` to cache users and sessions for 5 seconds, or `listen` to cache them until PostgreSQL reports a change",
        )),
    }
}

fn schema(env: &Env) -> Result<Schema, ConfigError> {
    let schema = env.parse("BETTER_AUTH_SCHEMA", |setting, value| match value {
        "auto" => Ok(Schema::auto()),
        "camel" => Ok(Schema::camel()),
        "snake" => Ok(Schema::snake()),
        _ => Err(ConfigError::new(
            setting,
            "is not `auto`, `camel` or `snake`",
            "write `auto`, `camel` (expiresAt, Better Auth's default) or `snake` (expires_at)",
        )),
    })?;
    let mut schema = schema.unwrap_or_else(Schema::auto);
    if let Some(table) = env.parse("BETTER_AUTH_USER_TABLE", table)? {
        schema = schema.with_user_table(table);
    }
    if let Some(table) = env.parse("BETTER_AUTH_SESSION_TABLE", table)? {
        schema = schema.with_session_table(table);
    }
    Ok(schema)
}

fn table(setting: &'static str, value: &str) -> Result<TableName, ConfigError> {
    value.parse().map_err(|_| {
        ConfigError::new(
            setting,
            "is not a table name",
            "write `table`, `schema.table` or, quoted as in SQL, `\"schema\".\"table\"`",
        )
    })
}

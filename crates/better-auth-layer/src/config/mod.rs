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
use crate::api_key::ApiKeys;
use crate::base_url::BaseUrl;
use crate::builder::BetterAuthLayerBuilder;
use crate::config_error::ConfigError;
use crate::csrf::TrustedOrigin;
use crate::layer::BetterAuthLayer;
use crate::schema::Schema;
use crate::secret::Secret;
pub use crate::secret::SecretRing;

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
    database_direct_url: Option<DatabaseUrl>,
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
        let config = Self {
            database_url: env.parse("DATABASE_URL", DatabaseUrl::parse)?,
            database_direct_url: env.parse("DATABASE_DIRECT_URL", DatabaseUrl::parse)?,
            secrets: match env.parse("BETTER_AUTH_SECRETS", SecretRing::parse)? {
                Some(secrets) => Some(secrets),
                None => env.parse("BETTER_AUTH_SECRET", |secret| {
                    Secret::new(secret).map(SecretRing::new)
                })?,
            },
            base_url: env.parse("BETTER_AUTH_URL", BaseUrl::parse)?,
            jwks_url: env.parse("BETTER_AUTH_JWKS_URL", jwks_url)?,
            jwks_issuer: env.parse("BETTER_AUTH_JWKS_ISSUER", text)?,
            issuer: env.parse("BETTER_AUTH_ISSUER", text)?,
            audiences: env.parse("BETTER_AUTH_AUDIENCE", list)?.unwrap_or_default(),
            trusted_origins: env
                .parse("BETTER_AUTH_TRUSTED_ORIGINS", trusted_origins)?
                .unwrap_or_default(),
            cookie_prefix: env.parse("BETTER_AUTH_COOKIE_PREFIX", text)?,
            api_keys: env.parse("BETTER_AUTH_API_KEYS", switch)?.unwrap_or(false),
            cache: env
                .parse("BETTER_AUTH_CACHE", cache_mode)?
                .unwrap_or(CacheMode::Off),
            schema: schema(env)?,
        };
        if let (Some(url), None) = (&config.base_url, &config.jwks_url) {
            jwks_url(&url.jwks_url()).map_err(|error| error.with_setting("BETTER_AUTH_URL"))?;
        }
        Ok(config)
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
            builder = builder.parsed_base_url(url);
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
            builder = builder.parsed_trusted_origin(origin.clone());
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
        let has_http = cfg!(feature = "jwks-http");
        if self.jwks_url.is_some() || self.jwks_issuer.is_some() || !has_http {
            return None;
        }
        let issuer = self.issuer.as_deref()?;
        let url = BaseUrl::parse(issuer).ok()?;
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

/// Without the feature `jwks-http`, [`BetterAuthLayerBuilder::build`] reports the URL unless
/// another key source is configured.
fn jwks_url(url: &str) -> Result<String, ConfigError> {
    #[cfg(feature = "jwks-http")]
    crate::jwks::RemoteKeySource::new(url)?;
    Ok(url.to_owned())
}

fn text(text: &str) -> Result<String, ConfigError> {
    Ok(text.to_owned())
}

fn list(list: &str) -> Result<Vec<String>, ConfigError> {
    Ok(items(list).map(str::to_owned).collect())
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn trusted_origins(list: &str) -> Result<Vec<TrustedOrigin>, ConfigError> {
    let origins = items(list).map(|pattern| {
        pattern.parse().map_err(|error: ConfigError| {
            ConfigError::new(
                "trusted_origin",
                format!("contains `{pattern}`, which {}", error.into_parts().1),
                "write origins such as `https://app.example.com` or `https://*.example.com`, separated by commas",
            )
        })
    });
    origins.collect()
}

fn switch(text: &str) -> Result<bool, ConfigError> {
    match text {
        "off" | "false" => Ok(false),
        "on" | "true" => Ok(true),
        _ => Err(ConfigError::new(
            "api_keys",
            "is neither `on` nor `off`",
            "write `on` to accept API keys",
        )),
    }
}

fn cache_mode(text: &str) -> Result<CacheMode, ConfigError> {
    match text {
        "off" | "false" => Ok(CacheMode::Off),
        "on" | "true" => Ok(CacheMode::On),
        "listen" => Ok(CacheMode::Listen),
        _ => Err(ConfigError::new(
            "cache",
            "is not `off`, `on` or `listen`",
            "write `on` to cache users and sessions for 5 seconds, or `listen` to cache them until PostgreSQL reports a change",
        )),
    }
}

fn schema(env: &Env) -> Result<Schema, ConfigError> {
    let naming = env.parse("BETTER_AUTH_SCHEMA", |text| match text {
        "auto" => Ok(Schema::auto()),
        "camel" => Ok(Schema::camel()),
        "snake" => Ok(Schema::snake()),
        _ => Err(ConfigError::new(
            "schema",
            "is not `auto`, `camel` or `snake`",
            "write `camel` for Better Auth's column names (`expiresAt`), `snake` for `expires_at`, or `auto`",
        )),
    })?;
    let mut schema = naming.unwrap_or_else(Schema::auto);
    let valid = |schema: Schema| schema.validate().map(|()| schema);
    for (setting, with_table) in [
        (
            "BETTER_AUTH_USER_TABLE",
            Schema::with_user_table as fn(Schema, String) -> Schema,
        ),
        ("BETTER_AUTH_SESSION_TABLE", Schema::with_session_table),
    ] {
        let table = env.parse(setting, |table| {
            valid(with_table(schema.clone(), table.to_owned()))
        });
        schema = table?.unwrap_or(schema);
    }
    Ok(schema)
}

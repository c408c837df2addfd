//! Settings from the environment.

use crate::base_url::BaseUrl;
use crate::builder::{ApiKeys, BetterAuthLayerBuilder};
use crate::config_error::ConfigError;
use crate::csrf::TrustedOrigin;
use crate::database_url::DatabaseUrl;
use crate::environment::Env;
use crate::jwks::RemoteKeySource;
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
/// | `BETTER_AUTH_URL` | the address of the Better Auth deployment ([`base_url`](BetterAuthLayerBuilder::base_url)) |
/// | `BETTER_AUTH_JWKS_URL` | where its public keys are, if not where the address says |
/// | `BETTER_AUTH_JWKS_ISSUER` | `iss` of tokens that are signed with them, if Better Auth's option `jwt.issuer` is set |
/// | `BETTER_AUTH_ISSUER` | required `iss` of secret-signed tokens |
/// | `BETTER_AUTH_AUDIENCE` | values of `aud` that mean this service, between commas |
/// | `BETTER_AUTH_TRUSTED_ORIGINS` | whose pages may send the session cookie, between commas ([`TrustedOrigin`]) |
/// | `BETTER_AUTH_COOKIE_PREFIX` | prefix of the cookies' names; default `better-auth` |
/// | `BETTER_AUTH_API_KEYS` | `on`: API keys in the header `x-api-key` are accepted; default `off` |
/// | `BETTER_AUTH_CACHE` | `off` (default); `on`: users and sessions may be 5 seconds old ([`CachedStore`](crate::CachedStore)); `listen`: with a `PostgresListener` beside it |
/// | `DATABASE_DIRECT_URL` | the same database without a pooler in between, for the listener; default `DATABASE_URL` |
/// | `BETTER_AUTH_SCHEMA` | `auto` (default), `camel` or `snake` |
/// | `BETTER_AUTH_USER_TABLE`, `BETTER_AUTH_SESSION_TABLE` | the tables, such as `users` or `auth.user` |
///
/// All are optional here; [`BetterAuthLayerBuilder::build`] says what is missing.
///
/// Where `BETTER_AUTH_URL` and the variables about public keys are not set and `BETTER_AUTH_ISSUER` is an `https` origin,
/// it stands in for the address: the tokens of Better Auth's own `/api/auth/token` are accepted then, and a line in the
/// log says so.
///
/// ```
/// use better_auth_layer::{Env, Config};
///
/// let environment: Env = [
///     ("BETTER_AUTH_SECRET", "correct-horse-battery-staple-4711"),
///     ("BETTER_AUTH_ISSUER", "https://app.example.com"),
/// ]
/// .into_iter()
/// .collect();
/// let settings = Config::from_env(&environment)?;
/// assert_eq!(settings.issuer(), Some("https://app.example.com"));
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    database_url: Option<DatabaseUrl>,
    secrets: Option<SecretRing>,
    url: Option<BaseUrl>,
    jwks_url: Option<String>,
    jwks_issuer: Option<String>,
    issuer: Option<String>,
    audiences: Vec<String>,
    trusted_origins: Vec<TrustedOrigin>,
    cookie_prefix: Option<String>,
    api_keys: bool,
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        expect(
            dead_code,
            reason = "checked with every store, used by those that can be slow"
        )
    )]
    cache: CacheSetting,
    #[cfg(feature = "postgres")]
    database_direct_url: Option<String>,
    schema: Schema,
}

/// `BETTER_AUTH_CACHE`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheSetting {
    Off,
    On,
    Listen,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable that cannot be used and says what to write.
    pub fn from_env(environment: &Env) -> Result<Self, ConfigError> {
        let database_url = environment
            .get("DATABASE_URL")?
            .map(str::parse)
            .transpose()?;
        let text = |name| Ok(environment.get(name)?.map(str::to_owned));
        let list = |name| Ok(parts(environment.get(name)?.unwrap_or_default()));
        Ok(Self {
            database_url,
            secrets: secrets(environment)?,
            url: url(environment)?,
            jwks_url: jwks_url(environment)?,
            jwks_issuer: text("BETTER_AUTH_JWKS_ISSUER")?,
            issuer: text("BETTER_AUTH_ISSUER")?,
            audiences: list("BETTER_AUTH_AUDIENCE")?,
            trusted_origins: trusted_origins(&list("BETTER_AUTH_TRUSTED_ORIGINS")?)?,
            cookie_prefix: text("BETTER_AUTH_COOKIE_PREFIX")?,
            api_keys: api_keys(environment)?,
            cache: cache(environment)?,
            #[cfg(feature = "postgres")]
            database_direct_url: text("DATABASE_DIRECT_URL")?,
            schema: schema(environment)?,
        })
    }

    /// `DATABASE_URL`
    #[must_use]
    pub fn database_url(&self) -> Option<&DatabaseUrl> {
        self.database_url.as_ref()
    }

    /// `BETTER_AUTH_CACHE`
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn cache(&self) -> CacheSetting {
        self.cache
    }

    /// `DATABASE_DIRECT_URL`
    #[cfg(feature = "postgres")]
    pub(crate) fn database_direct_url(&self) -> Option<&str> {
        self.database_direct_url.as_deref()
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

    /// Whether pages of an origin may send the session cookie: `BETTER_AUTH_TRUSTED_ORIGINS`, and the origin of
    /// `BETTER_AUTH_URL`. For a CORS layer that allows the same pages to send credentials.
    #[must_use]
    pub fn trusts_origin(&self, origin: &str) -> bool {
        self.url.as_ref().is_some_and(|url| url.origin() == origin)
            || self
                .trusted_origins
                .iter()
                .any(|trusted| trusted.matches(origin))
    }

    /// Whether something is set by which a request could be authenticated.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.secrets.is_some() || self.api_keys || self.url.is_some() || self.jwks_url.is_some()
    }

    /// A builder with all of this in it but the store.
    pub fn builder(&self) -> BetterAuthLayerBuilder {
        let mut builder = BetterAuthLayer::builder();
        if let Some(secrets) = &self.secrets {
            builder = builder.secrets(secrets.clone());
        }
        if let Some(url) = self.url.clone().or_else(|| self.stand_in()) {
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

    /// The issuer as the address of the deployment, where nothing else is said about public keys.
    fn stand_in(&self) -> Option<BaseUrl> {
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
            "BETTER_AUTH_URL is not set; BETTER_AUTH_ISSUER stands in for it, and tokens signed with that deployment's public keys are accepted, too"
        );
        Some(url)
    }
}

fn parts(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn url(environment: &Env) -> Result<Option<BaseUrl>, ConfigError> {
    let setting = "BETTER_AUTH_URL";
    let Some(text) = environment.get(setting)? else {
        return Ok(None);
    };
    let url = BaseUrl::parse(text, setting)?;
    let has_keys_elsewhere = environment.get("BETTER_AUTH_JWKS_URL")?.is_some();
    if !has_keys_elsewhere && RemoteKeySource::new(&url.jwks_url()).is_err() {
        return Err(ConfigError::new(
            setting,
            "is not `https`, and whoever is on the way could put in keys",
            "write `https://`, or set BETTER_AUTH_JWKS_URL to an `https` address of the keys",
        ));
    }
    Ok(Some(url))
}

fn jwks_url(environment: &Env) -> Result<Option<String>, ConfigError> {
    let setting = "BETTER_AUTH_JWKS_URL";
    let Some(url) = environment.get(setting)? else {
        return Ok(None);
    };
    RemoteKeySource::new(url).map_err(|_| {
        ConfigError::new(
            setting,
            "is no address that keys can be taken from",
            "write an `https` address without a user or a password, such as `https://app.example.com/api/auth/jwks`",
        )
    })?;
    Ok(Some(url.to_owned()))
}

fn trusted_origins(patterns: &[String]) -> Result<Vec<TrustedOrigin>, ConfigError> {
    let patterns = patterns.iter().map(|pattern| {
        pattern.parse().map_err(|_| {
            ConfigError::new(
                "BETTER_AUTH_TRUSTED_ORIGINS",
                format!("has `{pattern}`, which is no origin or trusts every one"),
                "write origins such as `https://app.example.com` or `https://*.example.com`, without a slash at the end, between commas",
            )
        })
    });
    patterns.collect()
}

fn api_keys(environment: &Env) -> Result<bool, ConfigError> {
    let setting = "BETTER_AUTH_API_KEYS";
    match environment.get(setting)? {
        None | Some("off" | "false") => Ok(false),
        Some("on" | "true") => Ok(true),
        Some(_) => Err(ConfigError::new(
            setting,
            "is neither `on` nor `off`",
            "write `on` to accept API keys",
        )),
    }
}

fn cache(environment: &Env) -> Result<CacheSetting, ConfigError> {
    let setting = "BETTER_AUTH_CACHE";
    match environment.get(setting)? {
        None | Some("off" | "false") => Ok(CacheSetting::Off),
        Some("on" | "true") => Ok(CacheSetting::On),
        Some("listen") => Ok(CacheSetting::Listen),
        Some(_) => Err(ConfigError::new(
            setting,
            "is none of `off`, `on` and `listen`",
            "write `on` to keep users and sessions for 5 seconds, or `listen` to keep them until PostgreSQL says that they changed",
        )),
    }
}

fn secrets(environment: &Env) -> Result<Option<SecretRing>, ConfigError> {
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

fn schema(environment: &Env) -> Result<Schema, ConfigError> {
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

fn table(environment: &Env, setting: &'static str) -> Result<Option<TableName>, ConfigError> {
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

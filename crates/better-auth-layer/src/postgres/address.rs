//! The database's address, brought into the form that tokio-postgres reads.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::config_error::ConfigError;

const SETTING: &str = "DATABASE_URL";

/// The driver's own default is two hours, and firewalls forget a connection after minutes.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);

/// An address that was understood.
pub(super) struct Address {
    pub(super) config: Config,
    /// A file of certificates to trust (`sslrootcert`).
    pub(super) root_certificates: Option<PathBuf>,
    /// The database schema that Prisma writes into the address.
    pub(super) schema: Option<String>,
    pub(super) transport: Transport,
}

/// What protects the way to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// TLS, with the certificate and its name verified.
    Encrypted,
    /// It does not leave this machine.
    Local,
    /// Nothing.
    ClearText,
}

/// What tokio-postgres reads itself.
const PASSED_ON: [&str; 21] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "replication",
    "sslmode",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
    "username",
];

/// What other clients and object mappers write into addresses and what has no meaning for this one.
const LEFT_OUT: [&str; 16] = [
    "client_encoding",
    "connection_limit",
    "fallback_application_name",
    "gssencmode",
    "pgbouncer",
    "pool_timeout",
    "prepared_statement_cache_size",
    "prepared_statements",
    "prepareThreshold",
    "socket_timeout",
    "sslaccept",
    "sslcompression",
    "sslsni",
    "statement_cache_mode",
    "statement_cache_size",
    "uselibpqcompat",
];

/// What would change who is talked to, and is not supported.
const REFUSED: [&str; 7] = [
    "passfile",
    "requirepeer",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslpassword",
];

impl Address {
    /// Understands an address.
    ///
    /// Errors repeat nothing of it but the names of well-known parameters: where an address is malformed, part of the
    /// password may stand anywhere.
    pub(super) fn parse(url: &str) -> Result<Self, ConfigError> {
        let (authority, query) = match behind_scheme(url.trim())?.split_once('?') {
            Some((authority, query)) => (authority, query),
            None => (behind_scheme(url.trim())?, ""),
        };
        let mut passed_on = Vec::new();
        let mut mode = None;
        let mut root_certificates = None;
        let mut schema = None;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "sslmode" | "ssl" => mode = Some(TlsMode::parse(name, value)?),
                "sslrootcert" if value == "system" => {}
                "sslrootcert" => root_certificates = Some(PathBuf::from(decode(value)?)),
                "schema" => schema = Some(decode(value)?),
                name if PASSED_ON.contains(&name) => passed_on.push(parameter),
                name if LEFT_OUT.contains(&name) => {}
                name => return Err(unknown_parameter(name)),
            }
        }
        let mut config: Config = format!("postgres://{authority}?{}", passed_on.join("&"))
            .parse()
            .map_err(|_| malformed())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(ConfigError::new(
                SETTING,
                "names no host",
                "write `postgres://user:password@host:5432/database`",
            ));
        }
        let local = is_local(&config);
        config.ssl_mode(match mode {
            Some(TlsMode::Disable) => SslMode::Disable,
            Some(TlsMode::Verified) => SslMode::Require,
            // `prefer` would fall back to clear text without a word, for whoever sits between.
            Some(TlsMode::Prefer) | None if local => SslMode::Disable,
            Some(TlsMode::Prefer) | None => SslMode::Require,
        });
        // Between two lookups the other end may vanish without a word, which a lookup would notice at its deadline only.
        if !query.contains("keepalives_") {
            config
                .keepalives_idle(KEEPALIVES_IDLE)
                .keepalives_interval(KEEPALIVES_INTERVAL)
                .keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("better-auth-layer");
        }
        let transport = match config.get_ssl_mode() {
            SslMode::Require => Transport::Encrypted,
            _ if local => Transport::Local,
            _ => Transport::ClearText,
        };
        Ok(Self {
            config,
            root_certificates,
            transport,
            schema: schema.filter(|schema| !schema.is_empty()),
        })
    }
}

#[derive(Clone, Copy)]
enum TlsMode {
    Disable,
    Prefer,
    Verified,
}

impl TlsMode {
    /// `sslmode` of libpq and `ssl` of node-postgres and asyncpg.
    fn parse(name: &str, value: &str) -> Result<Self, ConfigError> {
        match value {
            "disable" | "false" | "0" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" | "verify-full" | "true" | "1" => Ok(Self::Verified),
            _ => Err(ConfigError::new(
                SETTING,
                format!("has a `{name}` that is not supported"),
                "write `sslmode=verify-full` (`require` means the same here: certificate and host name are always verified), or `sslmode=disable` for a private network without TLS; a private authority's certificate is given with `sslrootcert=/path/to/ca.pem`",
            )),
        }
    }
}

fn behind_scheme(url: &str) -> Result<&str, ConfigError> {
    let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
    let kind = scheme
        .split_once('+')
        .map_or(scheme, |(kind, _driver)| kind);
    if kind.eq_ignore_ascii_case("postgres") || kind.eq_ignore_ascii_case("postgresql") {
        Ok(rest)
    } else {
        Err(malformed())
    }
}

fn malformed() -> ConfigError {
    ConfigError::new(
        SETTING,
        "is not an address of a PostgreSQL database",
        "write `postgres://user:password@host:5432/database`, with `%40` for `@`, `%2F` for `/`, `%3A` for `:` and `%3F` for `?` inside the password",
    )
}

fn unknown_parameter(name: &str) -> ConfigError {
    let problem = match REFUSED.iter().find(|refused| **refused == name) {
        Some(name) => format!("has the parameter `{name}`, which is not supported"),
        None => "has a parameter that is not known".to_owned(),
    };
    ConfigError::new(
        SETTING,
        problem,
        "remove it; if the password has a `?` or `&` in it, write `%3F` and `%26`",
    )
}

fn decode(value: &str) -> Result<String, ConfigError> {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.map(Into::into).map_err(|_| malformed())
}

/// Whether every host is this machine: a unix socket or a loopback address.
fn is_local(config: &Config) -> bool {
    let local_hosts = config.get_hosts().iter().all(|host| match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name.eq_ignore_ascii_case("localhost")
                || name
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    });
    local_hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests;

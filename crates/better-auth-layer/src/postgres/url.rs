//! Parses the database URL into a configuration for tokio-postgres.
//!
//! URLs are copied from hosting providers and from other clients, so parameters of node-postgres,
//! Prisma, SQLAlchemy and asyncpg are accepted. TLS is stricter than in libpq: for every host that
//! is not local, the certificate and the host name are verified, and there is no fallback to clear
//! text.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::config_error::ConfigError;

const SETTING: &str = "DATABASE_URL";

/// The driver's default is two hours, but firewalls drop idle connections after minutes.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);

pub(super) struct PgUrl {
    pub(super) config: Config,
    /// The file with trusted certificates (`sslrootcert`).
    pub(super) root_certificates: Option<PathBuf>,
    /// The database schema (`schema`, a parameter of Prisma).
    pub(super) schema: Option<String>,
    pub(super) transport: Transport,
}

/// How the connection to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// TLS with a verified certificate and host name.
    Encrypted,
    /// The connection does not leave this machine.
    Local,
    ClearText,
}

/// Parameters of tokio-postgres.
const FORWARDED: [&str; 21] = [
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

/// Parameters of other clients that have no effect here.
const IGNORED: [&str; 16] = [
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

/// Parameters that are not supported, and that would be unsafe to ignore.
const UNSUPPORTED: [&str; 7] = [
    "passfile",
    "requirepeer",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslpassword",
];

impl PgUrl {
    /// Parses a URL.
    ///
    /// Errors contain nothing of the URL except the names of well-known parameters: in a malformed
    /// URL, any part may belong to the password.
    pub(super) fn parse(url: &str) -> Result<Self, ConfigError> {
        let rest = strip_scheme(url.trim())?;
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut forwarded = Vec::new();
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
                name if FORWARDED.contains(&name) => forwarded.push(parameter),
                name if IGNORED.contains(&name) => {}
                name => return Err(unknown_parameter(name)),
            }
        }
        let mut config: Config = format!("postgres://{authority}?{}", forwarded.join("&"))
            .parse()
            .map_err(|_| malformed())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(ConfigError::new(
                SETTING,
                "has no host",
                "write `postgres://user:password@host:5432/database`",
            ));
        }
        let is_local = is_local(&config);
        config.ssl_mode(match mode {
            Some(TlsMode::Disable) => SslMode::Disable,
            Some(TlsMode::Verified) => SslMode::Require,
            // The driver's `prefer` would fall back to clear text if an attacker blocks TLS.
            Some(TlsMode::Prefer) | None if is_local => SslMode::Disable,
            Some(TlsMode::Prefer) | None => SslMode::Require,
        });
        // Without keepalives, a lookup would notice a lost connection only at its deadline.
        let has_keepalives = forwarded
            .iter()
            .any(|parameter| parameter.starts_with("keepalives_"));
        if !has_keepalives {
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
            _ if is_local => Transport::Local,
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
    /// Parses `sslmode` of libpq, and `ssl` of node-postgres and asyncpg.
    fn parse(name: &str, value: &str) -> Result<Self, ConfigError> {
        match value {
            "disable" | "false" | "0" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" | "verify-full" | "true" | "1" => Ok(Self::Verified),
            _ => Err(ConfigError::new(
                SETTING,
                format!("has an unsupported `{name}`"),
                "write `sslmode=verify-full` (`require` means the same here: certificate and host name are always verified), or `sslmode=disable` for a private network without TLS; configure the certificate of a private authority with `sslrootcert=/path/to/ca.pem`",
            )),
        }
    }
}

fn strip_scheme(url: &str) -> Result<&str, ConfigError> {
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
        "is not a PostgreSQL URL",
        "write `postgres://user:password@host:5432/database`, with `%40` for `@`, `%2F` for `/`, `%3A` for `:` and `%3F` for `?` inside the password",
    )
}

fn unknown_parameter(name: &str) -> ConfigError {
    let problem = match UNSUPPORTED.iter().find(|parameter| **parameter == name) {
        Some(name) => format!("has the parameter `{name}`, which is not supported"),
        None => "has an unknown parameter".to_owned(),
    };
    ConfigError::new(
        SETTING,
        problem,
        "remove it; if the password contains `?` or `&`, write `%3F` or `%26`",
    )
}

fn decode(value: &str) -> Result<String, ConfigError> {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.map(Into::into).map_err(|_| malformed())
}

/// Whether every host is a Unix socket or a loopback host.
fn is_local(config: &Config) -> bool {
    let local_hosts = config.get_hosts().iter().all(|host| match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    });
    local_hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> PgUrl {
        PgUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    fn mode(url: &str) -> SslMode {
        parse(url).config.get_ssl_mode()
    }

    #[test]
    fn urls_of_other_clients_are_accepted() {
        for url in [
            "postgres://u:p@h/d",
            "postgresql://u:p@h:5432/d",
            "postgresql+psycopg2://u:p@h/d",
            "postgresql+asyncpg://u:p@h/d?ssl=require&prepared_statement_cache_size=0",
            "postgres://u:p@h/d?pgbouncer=true&connection_limit=5&pool_timeout=10&gssencmode=disable",
            "postgres://u:p@h-pooler.example.com/d?sslmode=require&channel_binding=require",
            "postgres://u:p@h/d?options=endpoint%3Dabc",
            "postgres://u:p@h1:1,h2:2/d?target_session_attrs=read-write",
            " postgres://u:p@h/d\n",
        ] {
            let config = parse(url).config;
            assert_eq!(config.get_user(), Some("u"), "{url}");
            assert_eq!(config.get_dbname(), Some("d"), "{url}");
        }
    }

    #[test]
    fn tls_is_required_except_locally() {
        for url in [
            "postgres://u@db.example.com/d",
            "postgres://u@db.example.com/d?sslmode=prefer",
            "postgres://u@db.example.com/d?sslmode=require",
            "postgres://u@db.example.com/d?sslmode=verify-full",
            "postgres://u@10.0.0.7/d",
            "postgres://u@localhost,db.example.com/d",
            "postgres://u@localhost/d?hostaddr=10.0.0.7",
            "postgres://u@localhost/d?sslmode=verify-full",
            "postgres://u@h/d?ssl=true",
        ] {
            assert_eq!(mode(url), SslMode::Require, "{url}");
        }
        for url in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1/d",
            "postgres://u@[::1]/d",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/d",
            "postgres://u@/d?host=/var/run/postgresql",
            "postgres://u@localhost/d?sslmode=prefer",
            "postgres://u@db.example.com/d?sslmode=disable",
        ] {
            assert_eq!(mode(url), SslMode::Disable, "{url}");
        }
    }

    #[test]
    fn clear_text_is_detected() {
        for (url, transport) in [
            ("postgres://u@db.example.com/d", Transport::Encrypted),
            (
                "postgres://u@localhost/d?sslmode=require",
                Transport::Encrypted,
            ),
            ("postgres://u@localhost/d", Transport::Local),
            (
                "postgres://u@/d?host=/run/pg&sslmode=disable",
                Transport::Local,
            ),
            (
                "postgres://u@db.example.com/d?sslmode=disable",
                Transport::ClearText,
            ),
            (
                "postgres://u@localhost/d?hostaddr=10.0.0.7&sslmode=disable",
                Transport::ClearText,
            ),
        ] {
            assert_eq!(parse(url).transport, transport, "{url}");
        }
    }

    #[test]
    fn schema_and_certificate_are_extracted() {
        let url = parse("postgres://u@h/d?schema=app%20one&sslrootcert=/etc/ca%20one.pem");
        assert_eq!(url.schema.as_deref(), Some("app one"));
        assert_eq!(
            url.root_certificates,
            Some(PathBuf::from("/etc/ca one.pem"))
        );
        assert_eq!(
            parse("postgres://u@h/d?sslrootcert=system").root_certificates,
            None
        );
    }

    #[test]
    fn keepalives_have_defaults() {
        let idle = |url| parse(url).config.get_keepalives_idle();
        assert_eq!(idle("postgres://u@h/d"), KEEPALIVES_IDLE);
        assert_eq!(
            idle("postgres://u@h/d?keepalives_idle=77"),
            Duration::from_secs(77)
        );
        assert!(
            !parse("postgres://u@h/d?keepalives=0")
                .config
                .get_keepalives()
        );
    }

    #[test]
    fn errors_do_not_contain_the_url() {
        for (url, expected) in [
            ("", "write `postgres://"),
            ("hunter2", "write `postgres://"),
            ("mysql://u:hunter2@h/d", "write `postgres://"),
            ("postgres:///d", "has no host"),
            ("postgres://u:hunter2@h:port/d", "write `postgres://"),
            ("postgres://u@h/d?sslmode=verify-ca", "sslmode=verify-full"),
            ("postgres://u@h/d?sslmode=allow", "sslmode=disable"),
            ("postgres://u@h/d?sslmode=no-verify", "sslmode=verify-full"),
            (
                "postgres://u@h/d?sslcert=hunter2",
                "`sslcert`, which is not supported",
            ),
            ("postgres://u:p?hunter2@h/d", "%3F"),
            ("postgres://u@h/d?hunter2=1", "unknown parameter"),
        ] {
            let error = PgUrl::parse(url).map(|_| ()).unwrap_err();
            assert_eq!(error.setting(), "DATABASE_URL");
            let text = error.to_string();
            assert!(text.contains(expected), "{url}: {text}");
            assert!(
                !format!("{text} {error:?}").contains("hunter2"),
                "{url}: {text}"
            );
        }
    }
}

//! Parsing of `DATABASE_URL`.

use std::fmt;
use std::path::PathBuf;

use crate::config_error::ConfigError;

/// The database that `DATABASE_URL` names.
///
/// Accepts `postgres://` and `postgresql://`, with or without a driver suffix
/// (`postgresql+psycopg2://`), and `sqlite:path`. As in SQLAlchemy, `sqlite:///path` is relative and
/// `sqlite:////path` is absolute.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum DatabaseUrl {
    Postgres(String),
    Sqlite(PathBuf),
}

const SETTING: &str = "DATABASE_URL";
const FORMS: &str =
    "write `postgres://user:password@host:5432/database` or `sqlite:path/to/file.sqlite`";

impl DatabaseUrl {
    pub(super) fn parse(url: &str) -> Result<Self, ConfigError> {
        let error = |problem: &'static str, remedy: &'static str| {
            Err(ConfigError::new(SETTING, problem, remedy))
        };
        let url = url.trim();
        let Some((scheme, rest)) = url.split_once(':') else {
            return error("is not a URL", FORMS);
        };
        let database = scheme
            .split_once('+')
            .map_or(scheme, |(database, _driver)| database);
        match database.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Ok(Self::Postgres(url.to_owned())),
            "sqlite" => sqlite_path(rest).map(Self::Sqlite),
            "jdbc" => error(
                "is a JDBC URL",
                "remove `jdbc:` and write user and password before the host",
            ),
            "mysql" | "mariadb" | "mssql" | "sqlserver" | "mongodb" => error(
                "names a database that this crate does not support",
                "implement `UserStore` for it and use the builder",
            ),
            // The error does not show the scheme, which may be the beginning of a password.
            _ => error("has an unknown scheme", FORMS),
        }
    }
}

fn sqlite_path(rest: &str) -> Result<PathBuf, ConfigError> {
    let path = rest.split_once('?').map_or(rest, |(path, _options)| path);
    let path = percent_encoding::percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| ConfigError::new(SETTING, "is not valid UTF-8", FORMS))?;
    let file = match path.strip_prefix("//") {
        Some(rest) if rest.contains('@') => {
            return Err(ConfigError::new(
                SETTING,
                "has a user or a password, which a SQLite file does not have",
                FORMS,
            ));
        }
        Some(rest) => rest.strip_prefix('/').unwrap_or(rest),
        None => &*path,
    };
    if file.is_empty() || file == ":memory:" {
        return Err(ConfigError::new(
            SETTING,
            "does not name a file",
            "write `sqlite:path/to/file.sqlite` with the file of Better Auth",
        ));
    }
    Ok(PathBuf::from(file))
}

/// Shows only the kind of database, because the URL contains a password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "Postgres(..)",
            Self::Sqlite(_) => "Sqlite(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_select_the_database() {
        for url in [
            "postgres://u:p@h/d",
            "postgresql://u:p@h/d",
            "postgresql+psycopg2://u:p@h/d",
            "POSTGRESQL+asyncpg://u:p@h/d",
            "postgres://u:p@h/d\n",
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!(parsed, DatabaseUrl::Postgres(url.trim().to_owned()));
        }
        for (url, path) in [
            ("sqlite:app.db", "app.db"),
            ("sqlite:./app.db", "./app.db"),
            ("sqlite:/var/app.db", "/var/app.db"),
            ("sqlite://app.db", "app.db"),
            ("sqlite:///app.db", "app.db"),
            ("sqlite+aiosqlite:////var/app.db", "/var/app.db"),
            ("sqlite:with%20space.db?mode=ro", "with space.db"),
        ] {
            assert_eq!(
                DatabaseUrl::parse(url).unwrap(),
                DatabaseUrl::Sqlite(path.into()),
                "{url}"
            );
        }
    }

    #[test]
    fn errors_do_not_show_the_url() {
        for url in [
            "",
            "hunter2",
            "hunter2://x",
            "mysql://u:hunter2@h/d",
            "jdbc:postgresql://h/d?password=hunter2",
            "sqlite::memory:",
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "sqlite://app:hunter2@h/d",
        ] {
            let error = DatabaseUrl::parse(url).unwrap_err();
            assert_eq!(error.setting(), "DATABASE_URL");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}

//! Which kind of database an address names.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config_error::ConfigError;

/// The address of a database, as in `DATABASE_URL`.
///
/// `postgres://` and `postgresql://`, with or without the driver suffix of another language (`postgresql+psycopg2://`),
/// and `sqlite:path`, `sqlite:///path`.
///
/// ```
/// use better_auth_layer::config::DatabaseUrl;
///
/// let url: DatabaseUrl = "postgresql+asyncpg://app:pass@db.example.com/app".parse()?;
/// assert!(matches!(url, DatabaseUrl::Postgres(_)));
/// assert_eq!(format!("{url:?}"), "Postgres(..)");
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
///
/// `Debug` shows the kind alone: an address holds a password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseUrl {
    /// A PostgreSQL server, for `PostgresStore`.
    Postgres(String),
    /// A SQLite file, for `SqliteStore`.
    Sqlite(PathBuf),
}

const SETTING: &str = "DATABASE_URL";
const FORMS: &str =
    "write `postgres://user:password@host:5432/database` or `sqlite:path/to/file.sqlite`";

impl std::str::FromStr for DatabaseUrl {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        let url = url.trim();
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(ConfigError::new(SETTING, "is not an address", FORMS));
        };
        let kind = scheme
            .split_once('+')
            .map_or(scheme, |(kind, _driver)| kind);
        match kind.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Ok(Self::Postgres(url.to_owned())),
            "sqlite" => Ok(Self::Sqlite(sqlite_path(rest)?)),
            "jdbc" => Err(ConfigError::new(
                SETTING,
                "is an address for Java",
                "remove `jdbc:` from its front and write user and password before the host",
            )),
            "mysql" | "mariadb" | "mssql" | "sqlserver" | "mongodb" => Err(ConfigError::new(
                SETTING,
                "names a database that no store of this crate reads",
                "implement `UserStore` for it and build the layer with the builder",
            )),
            // Not quoted: what stands before the first colon may be the first half of a password.
            _ => Err(ConfigError::new(SETTING, "has an unknown scheme", FORMS)),
        }
    }
}

/// `sqlite:path` and `sqlite://path` are what they look like. Behind three slashes SQLAlchemy means a relative path
/// and most others an absolute one, so the file that is there decides.
fn sqlite_path(rest: &str) -> Result<PathBuf, ConfigError> {
    let path = rest.split_once('?').map_or(rest, |(path, _options)| path);
    let path = percent_encoding::percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| ConfigError::new(SETTING, "is not valid UTF-8", FORMS))?;
    if path.is_empty() || path == "//" || path.trim_start_matches('/') == ":memory:" {
        return Err(ConfigError::new(
            SETTING,
            "names no file",
            "write `sqlite:path/to/file.sqlite`, the file that Better Auth writes",
        ));
    }
    let Some(behind_two) = path.strip_prefix("//") else {
        return Ok(PathBuf::from(&*path));
    };
    if behind_two.contains('@') {
        return Err(ConfigError::new(
            SETTING,
            "has a user or a password, but a SQLite file has neither",
            FORMS,
        ));
    }
    let Some(behind_three) = behind_two.strip_prefix('/') else {
        return Ok(PathBuf::from(behind_two));
    };
    if behind_three.starts_with('/') {
        return Ok(PathBuf::from(behind_three));
    }
    let (absolute, relative) = (Path::new(behind_two), Path::new(behind_three));
    match (absolute.exists(), relative.exists()) {
        (true, true) => Err(ConfigError::new(
            SETTING,
            "may mean two files that both exist: an absolute path and a relative one",
            "write `sqlite:/absolute/path` or `sqlite:relative/path`",
        )),
        (false, true) => Ok(relative.to_owned()),
        (_, false) => Ok(absolute.to_owned()),
    }
}

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
    fn every_form_names_its_database() {
        for url in [
            "postgres://u:p@h/d",
            "postgresql://u:p@h/d",
            "postgresql+psycopg2://u:p@h/d",
            "POSTGRESQL+asyncpg://u:p@h/d",
            "postgres://u:p@h/d\n",
        ] {
            let parsed = url.parse::<DatabaseUrl>().unwrap();
            assert_eq!(parsed, DatabaseUrl::Postgres(url.trim().to_owned()));
        }
        for (url, path) in [
            ("sqlite:app.db", "app.db"),
            ("sqlite:./app.db", "./app.db"),
            ("sqlite:/var/app.db", "/var/app.db"),
            ("sqlite://app.db", "app.db"),
            ("sqlite:////var/app.db", "/var/app.db"),
            (
                "sqlite+aiosqlite:///no-such-folder-anywhere/app.db",
                "/no-such-folder-anywhere/app.db",
            ),
            ("sqlite:///Cargo.toml", "Cargo.toml"),
            ("sqlite:with%20blank.db?mode=ro", "with blank.db"),
        ] {
            let parsed = url.parse::<DatabaseUrl>().unwrap();
            assert_eq!(parsed, DatabaseUrl::Sqlite(path.into()), "{url}");
        }
    }

    #[test]
    fn errors_say_what_to_write_and_repeat_nothing() {
        for url in [
            "",
            "hunter2",
            "hunter2://x",
            "mysql://u:hunter2@h/d",
            "jdbc:postgresql://h/d?password=hunter2",
            "sqlite::memory:",
            "sqlite:",
            "sqlite://",
            "sqlite://app:hunter2@h/d",
        ] {
            let error = url.parse::<DatabaseUrl>().unwrap_err();
            assert_eq!(error.setting(), "DATABASE_URL");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}

//! How SQL differs between databases.

use super::column_type::ColumnType;

/// The SQL of one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "sqlite")]
    Sqlite,
}

impl Dialect {
    /// The placeholder of a parameter, counted from 1.
    pub(super) fn parameter(self, number: usize) -> String {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => format!("${number}"),
            #[cfg(feature = "sqlite")]
            Self::Sqlite => format!("?{number}"),
        }
    }

    /// A column or parameter as text.
    pub(super) fn text(self, name: &str) -> String {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => format!("{name}::text"),
            #[cfg(feature = "sqlite")]
            Self::Sqlite => format!("CAST({name} AS TEXT)"),
        }
    }

    /// A column as text that is compared byte by byte, with any collation of the column.
    pub(super) fn exact_text(self, name: &str) -> String {
        let collation = match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => "\"C\"",
            #[cfg(feature = "sqlite")]
            Self::Sqlite => "BINARY",
        };
        format!("{} COLLATE {collation}", self.text(name))
    }

    /// The value of a text column that does not exist.
    pub(super) fn null_text(self) -> &'static str {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => "NULL::text",
            #[cfg(feature = "sqlite")]
            Self::Sqlite => "NULL",
        }
    }

    /// The value of a time column that does not exist.
    pub(super) fn null_time(self) -> &'static str {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => "NULL::float8",
            #[cfg(feature = "sqlite")]
            Self::Sqlite => "NULL",
        }
    }

    /// A time as seconds since the epoch, which do not depend on the connection's time zone. A
    /// timestamp without a time zone is in UTC; a large number is in milliseconds.
    pub(super) fn epoch(self, name: &str, kind: ColumnType) -> String {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres if kind == ColumnType::Number => format!(
                "(CASE WHEN abs({name}::float8) > 1e11 THEN {name}::float8 / 1000 ELSE {name}::float8 END)"
            ),
            // `extract` computes in decimal numbers since PostgreSQL 14, which takes a tenth of the
            // time of a whole lookup.
            #[cfg(feature = "postgres")]
            Self::Postgres => format!("pg_catalog.date_part('epoch', {name})"),
            // A row has ISO 8601 text (Better Auth), milliseconds (Drizzle, Prisma) or seconds
            // (older versions of Drizzle). Any other value becomes NULL, which is never active.
            #[cfg(feature = "sqlite")]
            Self::Sqlite => {
                let _ = kind;
                format!(
                    "CASE typeof({name}) \
                     WHEN 'text' THEN CASE WHEN {name} LIKE '____-%' THEN unixepoch({name}, 'subsec') END \
                     WHEN 'null' THEN NULL WHEN 'blob' THEN NULL \
                     ELSE CASE WHEN {name} BETWEEN -100000000000 AND 100000000000 THEN {name} * 1.0 ELSE {name} / 1000.0 END END"
                )
            }
        }
    }

    /// An optional end: NULL means no end, and an invalid time counts as passed.
    pub(super) fn end(self, name: &str, kind: ColumnType) -> String {
        let epoch = self.epoch(name, kind);
        match self {
            // Every value of a time column is a time.
            #[cfg(feature = "postgres")]
            Self::Postgres => epoch,
            #[cfg(feature = "sqlite")]
            Self::Sqlite => {
                format!("CASE WHEN {name} IS NOT NULL THEN coalesce({epoch}, 0.0) END")
            }
        }
    }

    /// A time as a sort key.
    pub(super) fn time_order(self, name: &str, kind: ColumnType) -> String {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                let _ = kind;
                name.to_owned()
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite => self.epoch(name, kind),
        }
    }

    /// Whether two columns can be compared without casts, so that an index is used.
    pub(super) fn is_comparable(self, a: ColumnType, b: ColumnType) -> bool {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => a == b && a != ColumnType::Other,
            // SQLite converts values as its column affinities require.
            #[cfg(feature = "sqlite")]
            Self::Sqlite => {
                let _ = (a, b);
                true
            }
        }
    }
}

//! Which of the tables and columns a schema may mean are there.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;

use crate::store::schema::{Column, Naming, Schema, TableName};

/// The columns of the tables that were found, by table, with what the database says of each.
pub(crate) type FoundTables<T> = BTreeMap<String, BTreeMap<String, T>>;

/// The tables and columns that a store reads.
#[derive(Debug)]
pub(crate) struct Layout<T> {
    user_table: TableName,
    session_table: TableName,
    columns: BTreeMap<Column, (String, T)>,
    /// Columns of the application's own in the table of users.
    user_fields: Vec<(String, T)>,
}

impl<T: Copy> Layout<T> {
    /// Takes the one set of tables that fits, of those that were found. Tables go by their quoted names.
    ///
    /// Where several fit and one is in use already, that one stays: a table that somebody adds elsewhere in the
    /// database must not stop a service that runs.
    pub(crate) fn choose(
        schema: &Schema,
        found: &FoundTables<T>,
        in_use: Option<&Self>,
    ) -> Result<Self, LayoutError> {
        let namings = schema
            .naming()
            .map_or(vec![Naming::Camel, Naming::Snake], |naming| vec![naming]);
        let mut fitting = Vec::new();
        let mut lacking = BTreeSet::new();
        for user_table in user_tables(schema) {
            for session_table in session_tables(schema) {
                for naming in &namings {
                    match Self::fit(schema, *naming, &user_table, &session_table, found) {
                        Ok(layout) => fitting.push(layout),
                        Err(lack) => lacking.extend(lack),
                    }
                }
            }
        }
        // Where every required column has a name of its own, both ways of naming find the same.
        fitting.dedup_by(|a, b| a.same_required_columns(b));
        if let Some(in_use) = in_use
            && fitting.len() > 1
            && let Some(index) = fitting
                .iter()
                .position(|layout| layout.same_required_columns(in_use))
        {
            tracing::warn!(
                in_use = %in_use,
                "several sets of tables could be Better Auth's by now; name the one that is with BETTER_AUTH_USER_TABLE and BETTER_AUTH_SESSION_TABLE"
            );
            return Ok(fitting.swap_remove(index));
        }
        match (fitting.pop(), fitting.pop()) {
            (Some(layout), None) => Ok(layout),
            (Some(one), Some(other)) => Err(LayoutError::Ambiguous {
                one: one.to_string(),
                other: other.to_string(),
            }),
            (None, _) => Err(LayoutError::Missing {
                lacking: lacking.into_iter().collect(),
            }),
        }
    }

    fn fit(
        schema: &Schema,
        naming: Naming,
        user_table: &TableName,
        session_table: &TableName,
        found: &FoundTables<T>,
    ) -> Result<Self, Vec<String>> {
        let mut columns = BTreeMap::new();
        let mut lacking = Vec::new();
        for &column in Column::ALL {
            let table = if column.is_in_user_table() {
                user_table
            } else {
                session_table
            };
            let Some(found) = found.get(&table.to_string()) else {
                lacking.push(format!("table {table}"));
                continue;
            };
            let own_name = schema.column(column);
            let name = own_name.unwrap_or(column.default_name(naming));
            // Which way required columns are named says little about the others: a mixture must not lose a ban.
            let other_way = match (own_name, schema.naming()) {
                (None, None) if !column.is_required() => Some(column.default_name(naming.other())),
                _ => None,
            };
            let mut names = std::iter::once(name).chain(other_way);
            match names.find_map(|name| found.get(name).map(|kind| (name.to_owned(), *kind))) {
                Some(named) => {
                    columns.insert(column, named);
                }
                None if column.is_required() || own_name.is_some() => {
                    lacking.push(format!("column \"{name}\" of {table}"));
                }
                None => {}
            }
        }
        let mut user_fields = Vec::new();
        if let Some(found) = found.get(&user_table.to_string()) {
            for name in schema.user_fields() {
                match found.get(name) {
                    Some(kind) => user_fields.push((name.clone(), *kind)),
                    None => lacking.push(format!("column \"{name}\" of {user_table}")),
                }
            }
        }
        if !lacking.is_empty() {
            return Err(lacking);
        }
        Ok(Self {
            user_table: user_table.clone(),
            session_table: session_table.clone(),
            columns,
            user_fields,
        })
    }

    fn same_required_columns(&self, other: &Self) -> bool {
        let required = |layout: &Self| -> Vec<String> {
            let names = Column::ALL.iter().filter(|column| column.is_required());
            names
                .filter_map(|column| layout.column(*column).map(str::to_owned))
                .collect()
        };
        self.user_table == other.user_table
            && self.session_table == other.session_table
            && required(self) == required(other)
    }

    pub(crate) fn user_table(&self) -> &TableName {
        &self.user_table
    }

    pub(crate) fn session_table(&self) -> &TableName {
        &self.session_table
    }

    /// The name of a column, where the database has it.
    pub(crate) fn column(&self, column: Column) -> Option<&str> {
        self.found(column).map(|(name, _)| name)
    }

    /// The columns of the application's own in the table of users.
    pub(crate) fn user_fields(&self) -> &[(String, T)] {
        &self.user_fields
    }

    /// Does without a column, as if the database did not have it.
    #[cfg(feature = "postgres")]
    pub(crate) fn leave(&mut self, column: Column) {
        self.columns.remove(&column);
    }

    /// A column with what the database says of it.
    pub(crate) fn found(&self, column: Column) -> Option<(&str, T)> {
        let (name, kind) = self.columns.get(&column)?;
        Some((name, *kind))
    }
}

impl<T: Copy> fmt::Display for Layout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expires_at = self.column(Column::SessionExpiresAt).unwrap_or_default();
        write!(
            f,
            "{} with {} (\"{expires_at}\")",
            self.user_table, self.session_table
        )
    }
}

/// The names of all tables that a schema may mean.
pub(crate) fn candidate_tables(schema: &Schema) -> Vec<TableName> {
    let mut tables = user_tables(schema);
    tables.extend(session_tables(schema));
    tables
}

fn user_tables(schema: &Schema) -> Vec<TableName> {
    tables(schema, schema.user_table(), ["user", "users"])
}

fn session_tables(schema: &Schema) -> Vec<TableName> {
    tables(schema, schema.session_table(), ["session", "sessions"])
}

pub(super) fn tables(
    schema: &Schema,
    named: Option<&TableName>,
    defaults: [&str; 2],
) -> Vec<TableName> {
    let tables = named.map_or_else(
        || defaults.map(TableName::new).to_vec(),
        |table| vec![table.clone()],
    );
    let qualify = |table: TableName| match (table.schema(), schema.database_schema()) {
        (None, Some(name)) => table.in_schema(name),
        _ => table,
    };
    tables.into_iter().map(qualify).collect()
}

/// The database does not have the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LayoutError {
    /// None fits.
    Missing { lacking: Vec<String> },
    /// Two fit.
    Ambiguous { one: String, other: String },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { lacking } => write!(
                f,
                "no tables of Better Auth found; looked for and did not find: {}; run Better Auth's migrations in this database, or say where the tables are with BETTER_AUTH_USER_TABLE, BETTER_AUTH_SESSION_TABLE and BETTER_AUTH_SCHEMA=camel or snake",
                lacking.join(", ")
            ),
            Self::Ambiguous { one, other } => write!(
                f,
                "several sets of tables could be Better Auth's: {one}, and {other}; say which with BETTER_AUTH_USER_TABLE, BETTER_AUTH_SESSION_TABLE and BETTER_AUTH_SCHEMA=camel or snake"
            ),
        }
    }
}

impl Error for LayoutError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tables: &[(&str, &[&str])]) -> FoundTables<()> {
        tables
            .iter()
            .map(|(table, columns)| {
                let columns = columns.iter().map(|name| ((*name).to_owned(), ()));
                (TableName::new(*table).to_string(), columns.collect())
            })
            .collect()
    }

    const USER: &[&str] = &["id", "email"];
    const CAMEL: &[&str] = &["id", "userId", "expiresAt"];
    const SNAKE: &[&str] = &["id", "user_id", "expires_at"];

    #[test]
    fn auto_takes_whichever_of_the_usual_names_is_there() {
        for (user, session, columns, naming) in [
            ("user", "session", CAMEL, Naming::Camel),
            ("user", "session", SNAKE, Naming::Snake),
            ("users", "sessions", SNAKE, Naming::Snake),
            ("users", "session", CAMEL, Naming::Camel),
        ] {
            let layout = Layout::choose(
                &Schema::auto(),
                &found(&[(user, USER), (session, columns), ("other", USER)]),
                None,
            )
            .unwrap();
            assert_eq!(layout.user_table(), &TableName::new(user));
            assert_eq!(layout.session_table(), &TableName::new(session));
            assert_eq!(
                layout.column(Column::SessionUserId),
                Some(Column::SessionUserId.default_name(naming))
            );
            assert_eq!(layout.column(Column::UserBanned), None);
        }
    }

    #[test]
    fn two_sets_that_fit_are_an_error_until_one_is_named() {
        let both = found(&[("user", USER), ("users", USER), ("session", CAMEL)]);
        let error = Layout::choose(&Schema::auto(), &both, None).unwrap_err();
        assert!(matches!(error, LayoutError::Ambiguous { .. }), "{error}");
        let named = Schema::auto().with_user_table(TableName::new("user"));
        assert!(Layout::choose(&named, &both, None).is_ok());
        assert!(Layout::choose(&Schema::camel(), &both, None).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let tables = found(&[("user", USER), ("session", &["id", "userId"])]);
        let error = Layout::choose(&Schema::camel(), &tables, None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(r#"column "expiresAt" of "session""#),
            "{error}"
        );
        let error = Layout::choose(&Schema::camel(), &found(&[]), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains(r#"table "user""#), "{error}");
    }

    #[test]
    fn a_column_named_by_hand_must_exist() {
        let tables = found(&[("user", USER), ("session", CAMEL)]);
        let schema = Schema::auto().with_column(Column::UserBanned, "is_banned");
        let error = Layout::choose(&schema, &tables, None)
            .unwrap_err()
            .to_string();
        assert!(error.contains(r#"column "is_banned""#), "{error}");
    }

    #[test]
    fn names_of_ones_own_make_no_ambiguity() {
        let tables = found(&[("user", USER), ("session", &["sid", "owner", "ends"])]);
        let schema = Schema::auto()
            .with_column(Column::SessionId, "sid")
            .with_column(Column::SessionUserId, "owner")
            .with_column(Column::SessionExpiresAt, "ends");
        let layout = Layout::choose(&schema, &tables, None).unwrap();
        assert_eq!(layout.column(Column::SessionUserId), Some("owner"));
    }

    #[test]
    fn a_table_that_somebody_adds_stops_nothing_that_runs() {
        let before = found(&[("user", USER), ("session", CAMEL)]);
        let in_use = Layout::choose(&Schema::auto(), &before, None).unwrap();
        let after = found(&[("user", USER), ("users", USER), ("session", CAMEL)]);
        let kept = Layout::choose(&Schema::auto(), &after, Some(&in_use)).unwrap();
        assert_eq!(kept.user_table(), in_use.user_table());
        // Once the one in use is gone, the other is the one that fits.
        let moved = found(&[("users", USER), ("session", CAMEL)]);
        let other = Layout::choose(&Schema::auto(), &moved, Some(&in_use)).unwrap();
        assert_eq!(other.user_table(), &TableName::new("users"));
    }

    #[test]
    fn optional_columns_are_found_however_they_are_named() {
        let tables = found(&[
            ("user", &["id", "email", "banned", "ban_expires"]),
            ("session", &["id", "owner", "ends", "impersonated_by"]),
        ]);
        let schema = Schema::auto()
            .with_column(Column::SessionUserId, "owner")
            .with_column(Column::SessionExpiresAt, "ends");
        let layout = Layout::choose(&schema, &tables, None).unwrap();
        assert_eq!(
            layout.column(Column::SessionImpersonatedBy),
            Some("impersonated_by")
        );
        assert_eq!(layout.column(Column::UserBanExpires), Some("ban_expires"));
    }

    #[test]
    fn tables_without_a_schema_are_in_the_databases() {
        let schema = Schema::auto()
            .with_database_schema("auth")
            .with_user_table(TableName::new("user").in_schema("other"));
        let names: Vec<_> = candidate_tables(&schema)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            names,
            [
                r#""other"."user""#,
                r#""auth"."session""#,
                r#""auth"."sessions""#
            ]
        );
    }
}

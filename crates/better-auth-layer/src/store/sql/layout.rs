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
}

impl<T: Copy> Layout<T> {
    /// Takes the one set of tables that fits, of those that were found. Tables go by their quoted names.
    pub(crate) fn choose(schema: &Schema, found: &FoundTables<T>) -> Result<Self, LayoutError> {
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
            match found.get(name) {
                Some(kind) => {
                    columns.insert(column, (name.to_owned(), *kind));
                }
                None if column.is_required() || own_name.is_some() => {
                    lacking.push(format!("column \"{name}\" of {table}"));
                }
                None => {}
            }
        }
        if !lacking.is_empty() {
            return Err(lacking);
        }
        Ok(Self {
            user_table: user_table.clone(),
            session_table: session_table.clone(),
            columns,
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
    named_or(schema.user_table(), ["user", "users"])
}

fn session_tables(schema: &Schema) -> Vec<TableName> {
    named_or(schema.session_table(), ["session", "sessions"])
}

fn named_or(named: Option<&TableName>, defaults: [&str; 2]) -> Vec<TableName> {
    named.map_or_else(
        || defaults.map(TableName::new).to_vec(),
        |table| vec![table.clone()],
    )
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
        let error = Layout::choose(&Schema::auto(), &both).unwrap_err();
        assert!(matches!(error, LayoutError::Ambiguous { .. }), "{error}");
        let named = Schema::auto().with_user_table(TableName::new("user"));
        assert!(Layout::choose(&named, &both).is_ok());
        assert!(Layout::choose(&Schema::camel(), &both).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let tables = found(&[("user", USER), ("session", &["id", "userId"])]);
        let error = Layout::choose(&Schema::camel(), &tables)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(r#"column "expiresAt" of "session""#),
            "{error}"
        );
        let error = Layout::choose(&Schema::camel(), &found(&[]))
            .unwrap_err()
            .to_string();
        assert!(error.contains(r#"table "user""#), "{error}");
    }

    #[test]
    fn a_column_named_by_hand_must_exist() {
        let tables = found(&[("user", USER), ("session", CAMEL)]);
        let schema = Schema::auto().with_column(Column::UserBanned, "is_banned");
        let error = Layout::choose(&schema, &tables).unwrap_err().to_string();
        assert!(error.contains(r#"column "is_banned""#), "{error}");
    }

    #[test]
    fn names_of_ones_own_make_no_ambiguity() {
        let tables = found(&[("user", USER), ("session", &["sid", "owner", "ends"])]);
        let schema = Schema::auto()
            .with_column(Column::SessionId, "sid")
            .with_column(Column::SessionUserId, "owner")
            .with_column(Column::SessionExpiresAt, "ends");
        let layout = Layout::choose(&schema, &tables).unwrap();
        assert_eq!(layout.column(Column::SessionUserId), Some("owner"));
    }
}

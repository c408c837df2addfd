//! The tables and columns of users and sessions that the database has.
//!
//! Columns that are not required are read if they exist, so that one program works with every set of
//! Better Auth's plugins. Required columns are fields without `Option`: no statement can be written
//! without them.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use super::table::{Column, FoundTables, Picker, candidates, unreadable};
use crate::schema::{Naming, Schema, TableName};

/// The tables and columns that a store reads.
#[derive(Debug)]
pub(crate) struct ResolvedSchema {
    pub(crate) user: UserTable,
    pub(crate) session: SessionTable,
}

/// The fields are in the order in which statements select them.
#[derive(Debug)]
pub(crate) struct UserTable {
    pub(crate) table: TableName,
    pub(crate) id: Column,
    pub(crate) email: Column,
    pub(crate) email_verified: Option<Column>,
    pub(crate) name: Option<Column>,
    pub(crate) image: Option<Column>,
    pub(crate) role: Option<Column>,
    pub(crate) banned: Option<Column>,
    pub(crate) ban_expires: Option<Column>,
    /// Columns that the application added.
    pub(crate) fields: Vec<Column>,
}

/// The fields are in the order in which statements select them.
#[derive(Debug)]
pub(crate) struct SessionTable {
    pub(crate) table: TableName,
    pub(crate) id: Column,
    pub(crate) user_id: Column,
    pub(crate) expires_at: Column,
    pub(crate) token: Option<Column>,
    pub(crate) created_at: Option<Column>,
    pub(crate) impersonated_by: Option<Column>,
    pub(crate) active_organization_id: Option<Column>,
}

impl ResolvedSchema {
    /// Chooses the one set of tables that fits the configuration.
    ///
    /// If several fit and one of them is `in_use`, that one is kept: a table that is added to the
    /// database must not stop a running service.
    pub(crate) fn resolve(
        schema: &Schema,
        found: &FoundTables,
        in_use: Option<&Self>,
    ) -> Result<Self, SchemaError> {
        let namings = schema
            .naming
            .map_or(vec![Naming::Camel, Naming::Snake], |naming| vec![naming]);
        let mut fitting = Vec::new();
        let mut missing = BTreeSet::new();
        for user_table in user_tables(schema) {
            for session_table in session_tables(schema) {
                for naming in &namings {
                    let names = Names {
                        schema,
                        naming: *naming,
                    };
                    match Self::fit(&names, &user_table, &session_table, found) {
                        Ok(fit) => fitting.push(fit),
                        Err(problems) => missing.extend(problems),
                    }
                }
            }
        }
        // If all required columns have configured names, both namings find the same columns.
        fitting.dedup_by(|(a, _), (b, _)| a.has_same_required_columns(b));
        if let Some(in_use) = in_use
            && fitting.len() > 1
            && let Some(index) = fitting
                .iter()
                .position(|(fit, _)| fit.has_same_required_columns(in_use))
        {
            tracing::warn!(
                in_use = %in_use,
                "several sets of tables could be Better Auth's; set BETTER_AUTH_USER_TABLE and BETTER_AUTH_SESSION_TABLE"
            );
            fitting = vec![fitting.swap_remove(index)];
        }
        match (fitting.pop(), fitting.pop()) {
            (Some((resolved, unreadable)), None) if unreadable.is_empty() => Ok(resolved),
            (Some((_, columns)), None) => Err(SchemaError::Unreadable { columns }),
            (Some((one, _)), Some((other, _))) => Err(SchemaError::Ambiguous {
                one: one.to_string(),
                other: other.to_string(),
            }),
            (None, _) => Err(SchemaError::Missing {
                missing: missing.into_iter().collect(),
            }),
        }
    }

    /// The schema for one pair of tables, with the columns that must be readable and are not. The
    /// error lists what is missing.
    fn fit(
        names: &Names<'_>,
        user_table: &TableName,
        session_table: &TableName,
        found: &FoundTables,
    ) -> Result<(Self, Vec<String>), Vec<String>> {
        let mut user = found.picker(user_table);
        let mut session = found.picker(session_table);
        let resolved = UserTable::pick(names, &mut user)
            .zip(SessionTable::pick(names, &mut session))
            .map(|(user, session)| Self { user, session });
        let mut missing = user.missing;
        missing.append(&mut session.missing);
        let mut unreadable = user.unreadable;
        unreadable.append(&mut session.unreadable);
        match resolved {
            Some(resolved) if missing.is_empty() => Ok((resolved, unreadable)),
            _ => Err(missing),
        }
    }

    fn has_same_required_columns(&self, other: &Self) -> bool {
        let required = |resolved: &Self| {
            let Self { user, session } = resolved;
            let columns = [
                &user.id,
                &user.email,
                &session.id,
                &session.user_id,
                &session.expires_at,
            ];
            columns.map(|column| column.name.clone())
        };
        self.user.table == other.user.table
            && self.session.table == other.session.table
            && required(self) == required(other)
    }
}

/// The names of columns under one naming.
struct Names<'a> {
    schema: &'a Schema,
    naming: Naming,
}

impl UserTable {
    fn pick(names: &Names<'_>, table: &mut Picker<'_>) -> Option<Self> {
        let columns = &names.schema.user_columns;
        let own = |field: &str| columns.get(field).map(String::as_str);
        let id = names.required(table, "id", own("id"));
        let email = names.required(table, "email", own("email"));
        let mut optional = |field| names.optional(table, field, own(field));
        let email_verified = optional("emailVerified");
        let name = optional("name");
        let image = optional("image");
        let role = optional("role");
        // An unreadable ban must not be taken for none.
        let mut deciding = |field| names.readable_if_present(table, field, own(field));
        let banned = deciding("banned");
        let ban_expires = deciding("banExpires");
        let fields = names.schema.user_fields.iter();
        let fields = fields.filter_map(|name| table.required(&[name])).collect();
        Some(Self {
            table: table.table(),
            id: id?,
            email: email?,
            email_verified,
            name,
            image,
            role,
            banned,
            ban_expires,
            fields,
        })
    }

    /// The columns that exist, without those that the application added.
    #[cfg(feature = "postgres")]
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        [&self.id, &self.email].into_iter().chain(
            [
                &self.email_verified,
                &self.name,
                &self.image,
                &self.role,
                &self.banned,
                &self.ban_expires,
            ]
            .into_iter()
            .flatten(),
        )
    }

    /// The names of the columns that the application added.
    pub(crate) fn field_names(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }
}

impl SessionTable {
    fn pick(names: &Names<'_>, table: &mut Picker<'_>) -> Option<Self> {
        let columns = &names.schema.session_columns;
        let own = |field: &str| columns.get(field).map(String::as_str);
        let mut required = |field| names.required(table, field, own(field));
        let (id, user_id) = (required("id"), required("userId"));
        let expires_at = required("expiresAt");
        let mut optional = |field| names.optional(table, field, own(field));
        let token = optional("token");
        let created_at = optional("createdAt");
        let active_organization_id = optional("activeOrganizationId");
        let impersonated_by =
            names.readable_if_present(table, "impersonatedBy", own("impersonatedBy"));
        Some(Self {
            table: table.table(),
            id: id?,
            user_id: user_id?,
            expires_at: expires_at?,
            token,
            created_at,
            impersonated_by,
            active_organization_id,
        })
    }
}

impl Names<'_> {
    fn required(&self, table: &mut Picker<'_>, field: &str, own: Option<&str>) -> Option<Column> {
        match own {
            Some(own) => table.required(&[own]),
            None => table.required(&[&name(field, self.naming)]),
        }
    }

    /// A column whose absence is not an error unless its name is configured.
    fn optional(&self, table: &mut Picker<'_>, field: &str, own: Option<&str>) -> Option<Column> {
        self.present(table, field, own, Picker::optional)
    }

    fn readable_if_present(
        &self,
        table: &mut Picker<'_>,
        field: &str,
        own: Option<&str>,
    ) -> Option<Column> {
        self.present(table, field, own, Picker::readable_if_present)
    }

    fn present<'p>(
        &self,
        table: &mut Picker<'p>,
        field: &str,
        own: Option<&str>,
        pick: fn(&mut Picker<'p>, &[&str]) -> Option<Column>,
    ) -> Option<Column> {
        if let Some(own) = own {
            if !table.has(own) {
                table.report_missing(&[own]);
            }
            return pick(table, &[own]);
        }
        let (camel, snake) = (name(field, Naming::Camel), name(field, Naming::Snake));
        // The naming of required columns says little about the others, and a ban must not be lost.
        match (self.schema.naming, self.naming) {
            (Some(naming), _) => pick(table, &[&name(field, naming)]),
            (None, Naming::Camel) => pick(table, &[&camel, &snake]),
            (None, Naming::Snake) => pick(table, &[&snake, &camel]),
        }
    }
}

/// The column of one of Better Auth's fields, whose own name is in camel case.
fn name(field: &str, naming: Naming) -> String {
    if naming == Naming::Camel {
        return field.to_owned();
    }
    let mut name = String::new();
    for c in field.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// For logs and health reports.
impl fmt::Display for ResolvedSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, session } = self;
        let expires_at = &session.expires_at.name;
        write!(
            f,
            "{} with {} (\"{expires_at}\")",
            user.table, session.table
        )
    }
}

/// All tables that a configuration may mean as those of users and sessions.
pub(crate) fn candidate_tables(schema: &Schema) -> Vec<TableName> {
    let mut tables = user_tables(schema);
    tables.extend(session_tables(schema));
    tables
}

fn user_tables(schema: &Schema) -> Vec<TableName> {
    candidates(schema, schema.user_table.as_ref(), ["user", "users"])
}

fn session_tables(schema: &Schema) -> Vec<TableName> {
    let configured = schema.session_table.as_ref();
    candidates(schema, configured, ["session", "sessions"])
}

/// The configured schema does not match the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SchemaError {
    /// No set of tables fits.
    Missing { missing: Vec<String> },
    /// Two sets of tables fit.
    Ambiguous { one: String, other: String },
    /// The tables fit, but the role may not read columns that decide about a request.
    Unreadable { columns: Vec<String> },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { missing } => write!(
                f,
                "Better Auth's tables were not found; missing: {}; run Better Auth's migrations in this database, or set BETTER_AUTH_USER_TABLE, BETTER_AUTH_SESSION_TABLE and BETTER_AUTH_SCHEMA=camel or snake",
                missing.join(", ")
            ),
            Self::Ambiguous { one, other } => write!(
                f,
                "several sets of tables could be Better Auth's: {one}, and {other}; set BETTER_AUTH_USER_TABLE, BETTER_AUTH_SESSION_TABLE and BETTER_AUTH_SCHEMA=camel or snake"
            ),
            Self::Unreadable { columns } => f.write_str(&unreadable(columns)),
        }
    }
}

impl Error for SchemaError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::FoundColumn;

    fn found(tables: &[(&str, &[&str])]) -> FoundTables {
        let mut found = FoundTables::default();
        for (table, columns) in tables {
            for column in *columns {
                let column = (*column).to_owned();
                found.insert(&TableName::new(*table), column, FoundColumn::default());
            }
        }
        found
    }

    fn resolve(schema: &Schema, found: &FoundTables) -> Result<ResolvedSchema, String> {
        ResolvedSchema::resolve(schema, found, None).map_err(|error| error.to_string())
    }

    fn name(column: Option<&Column>) -> Option<&str> {
        column.map(|column| column.name.as_str())
    }

    const USER: &[&str] = &["id", "email"];
    const CAMEL: &[&str] = &["id", "userId", "expiresAt"];
    const SNAKE: &[&str] = &["id", "user_id", "expires_at"];

    #[test]
    fn auto_finds_usual_names() {
        for (user, session, columns, user_id) in [
            ("user", "session", CAMEL, "userId"),
            ("user", "session", SNAKE, "user_id"),
            ("users", "sessions", SNAKE, "user_id"),
            ("users", "session", CAMEL, "userId"),
        ] {
            let found = found(&[(user, USER), (session, columns), ("other", USER)]);
            let resolved = resolve(&Schema::auto(), &found).unwrap();
            assert_eq!(resolved.user.table, TableName::new(user));
            assert_eq!(resolved.session.table, TableName::new(session));
            assert_eq!(resolved.session.user_id.name, user_id);
            assert_eq!(resolved.user.banned, None);
        }
    }

    #[test]
    fn two_fitting_sets_are_an_error() {
        let both = found(&[("user", USER), ("users", USER), ("session", CAMEL)]);
        let error = ResolvedSchema::resolve(&Schema::auto(), &both, None).unwrap_err();
        assert!(matches!(error, SchemaError::Ambiguous { .. }), "{error}");
        let named = Schema::auto().with_user_table("user");
        assert!(resolve(&named, &both).is_ok());
        assert!(resolve(&Schema::camel(), &both).is_ok());
    }

    #[test]
    fn missing_names_are_listed() {
        let tables = found(&[("user", USER), ("session", &["id", "userId"])]);
        let error = resolve(&Schema::camel(), &tables).unwrap_err();
        let column = r#"column "expiresAt" of "session""#;
        assert!(error.contains(column), "{error}");
        let error = resolve(&Schema::camel(), &found(&[])).unwrap_err();
        assert!(error.contains(r#"table "user""#), "{error}");
    }

    #[test]
    fn configured_column_must_exist() {
        let tables = found(&[("user", USER), ("session", CAMEL)]);
        for (schema, column) in [
            (
                Schema::auto().with_user_column("banned", "is_banned"),
                r#"column "is_banned" of "user""#,
            ),
            (
                Schema::auto().with_session_column("token", "secret"),
                r#"column "secret" of "session""#,
            ),
            (
                Schema::auto().with_user_field("plan"),
                r#"column "plan" of "user""#,
            ),
        ] {
            let error = resolve(&schema, &tables).unwrap_err();
            assert!(error.contains(column), "{error}");
        }
    }

    #[test]
    fn configured_names_are_unambiguous() {
        let tables = found(&[("user", USER), ("session", &["sid", "owner", "ends"])]);
        let schema = Schema::auto()
            .with_session_column("id", "sid")
            .with_session_column("userId", "owner")
            .with_session_column("expiresAt", "ends");
        let resolved = resolve(&schema, &tables).unwrap();
        assert_eq!(resolved.session.user_id.name, "owner");
    }

    #[test]
    fn tables_in_use_are_kept() {
        let before = found(&[("user", USER), ("session", CAMEL)]);
        let in_use = resolve(&Schema::auto(), &before).unwrap();
        let resolve_again = |found| {
            let resolved = ResolvedSchema::resolve(&Schema::auto(), &found, Some(&in_use));
            resolved.unwrap().user.table
        };
        let after = found(&[("user", USER), ("users", USER), ("session", CAMEL)]);
        assert_eq!(resolve_again(after), in_use.user.table);
        // Without the table in use, the other one is the only one that fits.
        let moved = found(&[("users", USER), ("session", CAMEL)]);
        assert_eq!(resolve_again(moved), TableName::new("users"));
    }

    #[test]
    fn optional_columns_have_any_naming() {
        let tables = found(&[
            ("user", &["id", "email", "banned", "ban_expires"]),
            ("session", &["id", "owner", "ends", "impersonated_by"]),
        ]);
        let schema = Schema::auto()
            .with_session_column("userId", "owner")
            .with_session_column("expiresAt", "ends");
        let ResolvedSchema { user, session } = resolve(&schema, &tables).unwrap();
        let admin = name(session.impersonated_by.as_ref());
        assert_eq!(admin, Some("impersonated_by"));
        assert_eq!(name(user.ban_expires.as_ref()), Some("ban_expires"));
    }

    #[test]
    fn unreadable_ban_is_an_error() {
        let mut tables = found(&[("user", USER), ("session", CAMEL)]);
        let unreadable = FoundColumn {
            is_readable: false,
            ..FoundColumn::default()
        };
        tables.insert(&TableName::new("user"), "name".to_owned(), unreadable);
        let resolved = resolve(&Schema::auto(), &tables).unwrap();
        assert_eq!(resolved.user.name, None);
        tables.insert(&TableName::new("user"), "banned".to_owned(), unreadable);
        let error = resolve(&Schema::auto(), &tables).unwrap_err();
        assert!(
            error.contains(r#"may not read column "banned" of "user""#),
            "{error}"
        );
    }

    #[test]
    fn database_schema_is_the_default() {
        let schema = Schema::auto()
            .with_database_schema("auth")
            .with_user_table("other.user");
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

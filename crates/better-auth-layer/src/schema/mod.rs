//! The configured names of Better Auth's tables and columns.
//!
//! The SQL stores look for these names in the database; `sql::ResolvedSchema` has the result.

mod table_name;

use std::collections::BTreeMap;

#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
use self::table_name::TableName;
use self::table_name::is_identifier;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::table_name::{Quoted, TableName};
use crate::config_error::ConfigError;

/// Better Auth's fields of a user that the stores read. [`SESSION_FIELDS`] has those of a session.
const USER_FIELDS: [&str; 8] = [
    "id",
    "email",
    "emailVerified",
    "name",
    "image",
    "role",
    "banned",
    "banExpires",
];

const SESSION_FIELDS: [&str; 7] = [
    "id",
    "userId",
    "expiresAt",
    "token",
    "createdAt",
    "impersonatedBy",
    "activeOrganizationId",
];

/// Names of Better Auth's tables and of their columns, for a SQL store.
///
/// The default, [`Schema::auto`], finds the names in the database: tables `user` or `users`,
/// `session` or `sessions`, columns in camel case (Better Auth's own) or snake case (Drizzle's
/// generator, SQLAlchemy). Names that are set here are used as they are and must exist:
///
/// ```
/// use better_auth_layer::store::Schema;
///
/// let schema = Schema::snake()
///     .with_user_table("auth.people")
///     .with_user_column("email", "mail")
///     .with_session_column("expiresAt", "expires");
/// # let _ = schema;
/// ```
///
/// A table is written `user`, `auth.user` or, quoted as in SQL, `"auth"."user"`. Names are
/// case-sensitive. A store whose schema has an invalid name is rejected when it is built.
///
/// A user's id and email and a session's id, user id and expiry are required. The other columns are
/// read if they exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub(crate) naming: Option<Naming>,
    pub(crate) database_schema: Option<String>,
    pub(crate) user_table: Option<TableName>,
    pub(crate) session_table: Option<TableName>,
    pub(crate) api_key_table: Option<TableName>,
    pub(crate) member_table: Option<TableName>,
    pub(crate) jwks_table: Option<TableName>,
    /// By Better Auth's name of the field.
    pub(crate) user_columns: BTreeMap<&'static str, String>,
    pub(crate) session_columns: BTreeMap<&'static str, String>,
    pub(crate) user_fields: Vec<String>,
    /// The first setting whose value cannot be used.
    invalid: Option<Invalid>,
}

/// How columns without a configured name are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// `expiresAt`
    Camel,
    /// `expires_at`
    Snake,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Invalid {
    setting: &'static str,
    problem: String,
    remedy: String,
}

impl Schema {
    /// Finds tables and columns in the database.
    #[must_use]
    pub fn auto() -> Self {
        Self::default()
    }

    /// Better Auth's own names: tables `user` and `session`, columns such as `expiresAt`.
    #[must_use]
    pub fn camel() -> Self {
        Self::named(Naming::Camel)
    }

    /// Tables `user` and `session`, columns such as `expires_at`.
    #[must_use]
    pub fn snake() -> Self {
        Self::named(Naming::Snake)
    }

    fn named(naming: Naming) -> Self {
        Self {
            naming: Some(naming),
            ..Self::default()
        }
        .with_user_table("user")
        .with_session_table("session")
    }

    /// Sets the table of users.
    #[must_use]
    pub fn with_user_table(mut self, table: impl AsRef<str>) -> Self {
        self.user_table = self.table("with_user_table", table.as_ref());
        self
    }

    /// Sets the table of sessions.
    #[must_use]
    pub fn with_session_table(mut self, table: impl AsRef<str>) -> Self {
        self.session_table = self.table("with_session_table", table.as_ref());
        self
    }

    /// Sets the table of API keys. Default: `apikey` or `apikeys`. It is read only if API keys are
    /// accepted.
    #[must_use]
    pub fn with_api_key_table(mut self, table: impl AsRef<str>) -> Self {
        self.api_key_table = self.table("with_api_key_table", table.as_ref());
        self
    }

    /// Sets the table of members of organizations. Default: `member` or `members`. It is read only
    /// for lookups of a [`MembershipStore`](crate::organization::MembershipStore).
    #[must_use]
    pub fn with_member_table(mut self, table: impl AsRef<str>) -> Self {
        self.member_table = self.table("with_member_table", table.as_ref());
        self
    }

    /// Sets the table of public keys. Default: `jwks` or `jwkss`. It is read only by the store's
    /// `key_source`.
    #[must_use]
    pub fn with_jwks_table(mut self, table: impl AsRef<str>) -> Self {
        self.jwks_table = self.table("with_jwks_table", table.as_ref());
        self
    }

    /// Sets the database schema of all tables whose name does not include one. Without it they are
    /// looked for on the search path.
    #[must_use]
    pub fn with_database_schema(mut self, name: impl Into<String>) -> Self {
        self.database_schema = self.identifier("with_database_schema", name.into());
        self
    }

    /// Sets the column of a user's field, which has Better Auth's name: `id`, `email`,
    /// `emailVerified`, `name`, `image`, `role`, `banned` or `banExpires`. The column must exist.
    #[must_use]
    pub fn with_user_column(mut self, field: &str, column: impl Into<String>) -> Self {
        let setting = "with_user_column";
        let field = self.field(setting, field, &USER_FIELDS);
        let column = self.identifier(setting, column.into());
        self.user_columns.extend(field.zip(column));
        self
    }

    /// Sets the column of a session's field, which has Better Auth's name: `id`, `userId`,
    /// `expiresAt`, `token`, `createdAt`, `impersonatedBy` or `activeOrganizationId`. The column
    /// must exist.
    #[must_use]
    pub fn with_session_column(mut self, field: &str, column: impl Into<String>) -> Self {
        let setting = "with_session_column";
        let field = self.field(setting, field, &SESSION_FIELDS);
        let column = self.identifier(setting, column.into());
        self.session_columns.extend(field.zip(column));
        self
    }

    /// Also reads a column that the application added to the table of users; the column must
    /// exist. Handlers get its value as text from [`User::field`](crate::User::field).
    ///
    /// ```
    /// use better_auth_layer::store::Schema;
    ///
    /// let schema = Schema::auto().with_user_field("plan");
    /// # let _ = schema;
    /// ```
    #[must_use]
    pub fn with_user_field(mut self, column: impl Into<String>) -> Self {
        if let Some(column) = self.identifier("with_user_field", column.into())
            && !self.user_fields.contains(&column)
        {
            self.user_fields.push(column);
        }
        self
    }

    /// Reports the first setting whose value cannot be used.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match self.invalid.clone() {
            None => Ok(()),
            Some(Invalid {
                setting,
                problem,
                remedy,
            }) => Err(ConfigError::new(setting, problem, remedy)),
        }
    }

    fn table(&mut self, setting: &'static str, text: &str) -> Option<TableName> {
        let table = TableName::parse(text);
        if table.is_none() {
            self.reject(
                setting,
                "is not a table name",
                "write `table`, `schema.table` or, quoted as in SQL, `\"schema\".\"table\"`",
            );
        }
        table
    }

    fn identifier(&mut self, setting: &'static str, name: String) -> Option<String> {
        if is_identifier(&name) {
            return Some(name);
        }
        self.reject(
            setting,
            "is empty or contains a null character",
            "write the name as the database has it, without quotes",
        );
        None
    }

    fn field(
        &mut self,
        setting: &'static str,
        field: &str,
        fields: &'static [&'static str],
    ) -> Option<&'static str> {
        let known = fields.iter().find(|known| **known == field);
        if known.is_none() {
            let remedy = format!("use Better Auth's name, one of {}", fields.join(", "));
            self.reject(
                setting,
                format!("does not know the field `{field}`"),
                remedy,
            );
        }
        known.copied()
    }

    fn reject(
        &mut self,
        setting: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.invalid.get_or_insert(Invalid {
            setting,
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_names_are_reported() {
        for (schema, problem) in [
            (
                Schema::auto().with_user_table("a.b.c"),
                "`with_user_table` is not a table name; write `table`",
            ),
            (
                Schema::auto().with_jwks_table(""),
                "`with_jwks_table` is not a table name",
            ),
            (
                Schema::camel().with_database_schema(""),
                "`with_database_schema` is empty",
            ),
            (
                Schema::snake().with_user_field("a\0"),
                "`with_user_field` is empty or contains a null",
            ),
            (
                Schema::auto().with_user_column("mail", "mail"),
                "`with_user_column` does not know the field `mail`; use Better Auth's name, one of id, email",
            ),
            (
                Schema::auto().with_session_column("expires_at", "ends"),
                "`with_session_column` does not know the field `expires_at`",
            ),
            (
                Schema::auto()
                    .with_session_table("\"")
                    .with_session_table("session"),
                "`with_session_table` is not a table name",
            ),
        ] {
            let error = schema.validate().unwrap_err().to_string();
            assert!(error.starts_with(problem), "{error}");
        }
        let valid = Schema::auto()
            .with_user_column("email", "mail")
            .with_user_column("email", "e-mail");
        assert!(valid.validate().is_ok());
        assert_eq!(valid.user_columns["email"], "e-mail");
    }
}

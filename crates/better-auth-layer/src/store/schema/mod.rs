//! The tables and columns that a SQL store reads.

mod column;
mod table_name;

use std::collections::BTreeMap;

pub use self::column::{Column, Naming};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::table_name::Quoted;
pub use self::table_name::{TableName, TableNameError};

/// Names of the `user` and `session` tables and of their columns.
///
/// The default, [`Schema::auto`], looks at the database: tables `user` or `users`, `session` or `sessions`, columns in
/// camel case (Better Auth's own) or snake case (Drizzle's generator, SQLAlchemy). What is named here is not guessed:
///
/// ```
/// use better_auth_layer::store::{Column, Schema, TableName};
///
/// let schema = Schema::snake()
///     .with_user_table(TableName::new("people").in_schema("auth"))
///     .with_column(Column::UserEmail, "mail");
/// assert_eq!(schema.user_table().map(ToString::to_string).as_deref(), Some(r#""auth"."people""#));
/// ```
///
/// Columns beyond a user's id and e-mail address and a session's id, user id and expiry are read where they exist. A
/// column named with [`with_column`](Self::with_column) must exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    naming: Option<Naming>,
    database_schema: Option<String>,
    user_table: Option<TableName>,
    session_table: Option<TableName>,
    api_key_table: Option<TableName>,
    key_table: Option<TableName>,
    member_table: Option<TableName>,
    columns: BTreeMap<Column, String>,
    user_fields: Vec<String>,
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
            user_table: Some(TableName::new("user")),
            session_table: Some(TableName::new("session")),
            ..Self::default()
        }
    }

    /// Sets the table of users.
    #[must_use]
    pub fn with_user_table(mut self, table: TableName) -> Self {
        self.user_table = Some(table);
        self
    }

    /// Sets the table of sessions.
    #[must_use]
    pub fn with_session_table(mut self, table: TableName) -> Self {
        self.session_table = Some(table);
        self
    }

    /// Sets the table of API keys; without it, `apikey` or `apikeys`. It is read only where API keys are accepted.
    #[must_use]
    pub fn with_api_key_table(mut self, table: TableName) -> Self {
        self.api_key_table = Some(table);
        self
    }

    /// Sets the table of public keys; without it, `jwks` or `jwkss`. It is read only by the store's `key_source`.
    #[must_use]
    pub fn with_jwks_table(mut self, table: TableName) -> Self {
        self.key_table = Some(table);
        self
    }

    /// Sets the table of members of organizations; without it, `member` or `members`. It is read only where a
    /// [`MembershipStore`](crate::organization::MembershipStore) is asked.
    ///
    /// ```
    /// use better_auth_layer::store::{Schema, TableName};
    ///
    /// let schema = Schema::auto().with_member_table(TableName::new("memberships").in_schema("auth"));
    /// assert_eq!(schema.member_table().map(TableName::name), Some("memberships"));
    /// ```
    #[must_use]
    pub fn with_member_table(mut self, table: TableName) -> Self {
        self.member_table = Some(table);
        self
    }

    /// Also reads a column of the application's own from the table of users, which must then exist. Handlers find it in
    /// [`User::field`](crate::User::field), as the text that the database makes of it.
    ///
    /// ```
    /// use better_auth_layer::store::Schema;
    ///
    /// let schema = Schema::auto().with_user_field("plan");
    /// assert_eq!(schema.user_fields(), ["plan"]);
    /// ```
    #[must_use]
    pub fn with_user_field(mut self, column: impl Into<String>) -> Self {
        let column = column.into();
        if !self.user_fields.contains(&column) {
            self.user_fields.push(column);
        }
        self
    }

    /// Sets the database's schema in which the tables are that name none themselves, found ones included. Without it
    /// they are looked for on the search path.
    #[must_use]
    pub fn with_database_schema(mut self, name: impl Into<String>) -> Self {
        self.database_schema = Some(name.into());
        self
    }

    /// Sets the name of a column, which must then exist.
    #[must_use]
    pub fn with_column(mut self, column: Column, name: impl Into<String>) -> Self {
        self.columns.insert(column, name.into());
        self
    }

    /// The way columns are named; `None`: either.
    #[must_use]
    pub fn naming(&self) -> Option<Naming> {
        self.naming
    }

    /// The schema of tables that name none themselves; `None`: the search path.
    #[must_use]
    pub fn database_schema(&self) -> Option<&str> {
        self.database_schema.as_deref()
    }

    /// The table of users; `None`: to be found.
    #[must_use]
    pub fn user_table(&self) -> Option<&TableName> {
        self.user_table.as_ref()
    }

    /// The table of sessions; `None`: to be found.
    #[must_use]
    pub fn session_table(&self) -> Option<&TableName> {
        self.session_table.as_ref()
    }

    /// The table of API keys; `None`: to be found.
    #[must_use]
    pub fn api_key_table(&self) -> Option<&TableName> {
        self.api_key_table.as_ref()
    }

    /// The table of public keys; `None`: to be found.
    #[must_use]
    pub fn key_table(&self) -> Option<&TableName> {
        self.key_table.as_ref()
    }

    /// The table of members of organizations; `None`: to be found.
    #[must_use]
    pub fn member_table(&self) -> Option<&TableName> {
        self.member_table.as_ref()
    }

    /// The columns of the application's own that are read as well.
    #[must_use]
    pub fn user_fields(&self) -> &[String] {
        &self.user_fields
    }

    /// The name given to a column with [`with_column`](Self::with_column).
    #[must_use]
    pub fn column(&self, column: Column) -> Option<&str> {
        self.columns.get(&column).map(String::as_str)
    }
}

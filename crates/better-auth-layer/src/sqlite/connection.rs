//! A connection to the file, and the queries that run on it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection as Sqlite, ErrorCode, InterruptHandle, OpenFlags, ToSql, params};

use crate::clock::Timestamp;
use crate::identity::Member;
use crate::jwks::KeySet;
use crate::schema::{Schema, TableName};
use crate::sql::{
    self, ApiKeyTable, Dialect, FoundColumn, FoundTables, JwksTable, LookupRow, MemberTable,
    ResolvedSchema, Statements, add_public_key, candidate_tables, membership, membership_sql,
    read_member, resolution,
};
use crate::store::{Lookup, LookupKey, LookupKind, Resolution, StoreError, StoreErrorKind};

pub(super) struct Connection {
    sqlite: Sqlite,
    resolved: Option<Resolved>,
}

struct Resolved {
    tables: ResolvedSchema,
    statements: Statements,
    /// The query for a membership, or the error if the tables do not support it.
    membership: Result<String, StoreError>,
    /// SQLite's counter of schema changes.
    schema_version: i64,
    user_fields: Vec<String>,
}

impl Connection {
    /// Opens an existing file for queries.
    ///
    /// SQLite needs write access to recover from a crash of a writer and to share a write-ahead
    /// log. `query_only` rejects statements that write.
    pub(super) fn open(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sqlite = Sqlite::open_with_flags(path, flags).map_err(|error| failure(&error))?;
        sqlite
            .busy_timeout(busy_timeout)
            .and_then(|()| sqlite.pragma_update(None, "query_only", true))
            .map_err(|error| failure(&error))?;
        Ok(Self {
            sqlite,
            resolved: None,
        })
    }

    pub(super) fn interrupt_handle(&self) -> InterruptHandle {
        self.sqlite.get_interrupt_handle()
    }

    /// Begins a transaction, in which all queries see the state at the time of the first one.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.execute("BEGIN")
    }

    /// Ends the transaction, unless an error has ended it already.
    pub(super) fn end(&self) -> Result<(), StoreError> {
        if self.sqlite.is_autocommit() {
            return Ok(());
        }
        self.execute("COMMIT")
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        let mut statement = self
            .sqlite
            .prepare_cached(sql)
            .map_err(|error| failure(&error))?;
        statement.execute([]).map_err(|error| failure(&error))?;
        Ok(())
    }

    pub(super) fn resolve(
        &mut self,
        schema: &Schema,
        lookup: &Lookup<'_>,
    ) -> Result<Resolution, StoreError> {
        self.refresh(schema)?;
        let Some(resolved) = &self.resolved else {
            return Err(StoreErrorKind::Schema.into());
        };
        let (now, kind) = (lookup.now().as_unix_seconds_f64(), lookup.key().kind());
        let (key, lower_case) = match lookup.key() {
            LookupKey::Email(email) => (email.as_str(), Some(email.to_lowercase())),
            LookupKey::UserId(id) => (id.as_ref(), None),
            LookupKey::SessionToken(token) => (token.expose(), None),
            LookupKey::ApiKey(hash) => (hash.as_str(), None),
        };
        let session_id = lookup
            .session_id()
            .filter(|_| matches!(kind, LookupKind::Email | LookupKind::UserId));
        let statement = resolved.statements.get(lookup, session_id.is_some())?;
        let mut parameters: Vec<&dyn ToSql> = vec![&key];
        if let Some(lower_case) = &lower_case {
            parameters.push(lower_case);
        }
        if kind != LookupKind::ApiKey {
            parameters.push(&now);
        }
        if let Some(session_id) = &session_id {
            parameters.push(session_id);
        }
        let rows = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.sqlite.prepare_cached(&statement.sql)?;
            let read =
                |row: &rusqlite::Row<'_>| LookupRow::read(row, lookup, &resolved.user_fields);
            let rows = statement.query_map(parameters.as_slice(), read)?;
            rows.collect()
        };
        resolution(rows().map_err(|error| failure(&error))?, lookup)
    }

    pub(super) fn member(
        &mut self,
        schema: &Schema,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        self.refresh(schema)?;
        let Some(resolved) = &self.resolved else {
            return Err(StoreErrorKind::Schema.into());
        };
        let sql = resolved.membership.as_ref().map_err(StoreError::share)?;
        let rows = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.sqlite.prepare_cached(sql)?;
            let rows = statement.query_map([user_id, organization_id], |row| read_member(row))?;
            rows.collect()
        };
        let rows = rows().map_err(|error| failure(&error))?;
        membership(rows, user_id, organization_id)
    }

    /// The public keys that are valid at a time, or expired less than the grace period before.
    pub(super) fn public_keys(
        &self,
        schema: &Schema,
        now: Timestamp,
        grace_period: Duration,
    ) -> Result<KeySet, StoreError> {
        let found = self.found(&JwksTable::candidates(schema))?;
        let table = JwksTable::resolve(schema, &found)?;
        let mut keys = KeySet::default();
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self
                .sqlite
                .prepare(&sql::public_keys(Dialect::Sqlite, &table))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                add_public_key(&mut keys, row, now, grace_period)?;
            }
            Ok(())
        };
        read().map_err(|error| failure(&error))?;
        Ok(keys)
    }

    pub(super) fn check(&mut self, schema: &Schema) -> Result<(), StoreError> {
        self.refresh(schema)
    }

    /// Resolves the tables again if the database's schema has changed.
    fn refresh(&mut self, schema: &Schema) -> Result<(), StoreError> {
        let schema_version = self.schema_version().map_err(|error| failure(&error))?;
        if let Some(resolved) = &self.resolved
            && resolved.schema_version == schema_version
        {
            return Ok(());
        }
        let in_use = self.resolved.take().map(|resolved| resolved.tables);
        let mut candidates = candidate_tables(schema);
        candidates.extend(ApiKeyTable::candidates(schema));
        candidates.extend(MemberTable::candidates(schema));
        let found = self.found(&candidates)?;
        let tables = ResolvedSchema::resolve(schema, &found, in_use.as_ref())
            .map_err(|error| StoreError::new(StoreErrorKind::Schema, error))?;
        let api_keys = ApiKeyTable::resolve(schema, &found);
        let members = MemberTable::resolve(schema, &found);
        self.resolved = Some(Resolved {
            statements: Statements::new(Dialect::Sqlite, &tables, api_keys),
            membership: members.map(|members| membership_sql(Dialect::Sqlite, &members)),
            user_fields: tables.user.field_names(),
            tables,
            schema_version,
        });
        Ok(())
    }

    fn schema_version(&self) -> rusqlite::Result<i64> {
        let mut statement = self.sqlite.prepare_cached("PRAGMA schema_version")?;
        statement.query_row([], |row| row.get(0))
    }

    /// The columns of the tables that exist.
    fn found(&self, tables: &[TableName]) -> Result<FoundTables, StoreError> {
        let mut found = FoundTables::default();
        for table in tables {
            let names = self
                .column_names(table.schema(), table.name())
                .map_err(|error| failure(&error))?;
            for name in names {
                found.insert(table, name, FoundColumn::default());
            }
        }
        Ok(found)
    }

    fn column_names(&self, schema: Option<&str>, table: &str) -> rusqlite::Result<Vec<String>> {
        let mut statement = self
            .sqlite
            .prepare_cached("SELECT name FROM pragma_table_info(?1, ?2)")?;
        let names = statement.query_map(params![table, schema], |row| row.get(0))?;
        names.collect()
    }
}

/// Keeps SQLite's message only for errors whose message contains no value from a row.
fn failure(error: &rusqlite::Error) -> StoreError {
    let kind = match error.sqlite_error_code() {
        Some(
            ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked,
        ) => StoreErrorKind::Timeout,
        Some(_) => StoreErrorKind::Unavailable,
        None => StoreErrorKind::Schema,
    };
    let text = match error {
        rusqlite::Error::SqliteFailure(error, text) => {
            text.clone().unwrap_or_else(|| error.to_string())
        }
        rusqlite::Error::InvalidColumnType(index, name, found) => {
            format!("column {index} ({name}) contains {found}")
        }
        _ => "unexpected result".to_owned(),
    };
    StoreError::new(kind, text)
}

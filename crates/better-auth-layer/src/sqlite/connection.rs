//! One connection to the file, used by one lookup at a time.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection as Sqlite, ErrorCode, InterruptHandle, OpenFlags, Params, params};

use super::statements::{Statements, public_keys};
use crate::clock::Timestamp;
use crate::identity::{ApiKeyHash, Member};
use crate::jwks::KeySet;
use crate::store::sql::{
    ApiKeyColumn, FoundTables, KeyColumn, Layout, MemberColumn, Pair, Record, SideColumn,
    SideTable, USER_COLUMNS, answer, api_key_answer, candidate_tables, member_answer, no_members,
    read_api_key, read_member, read_session, read_user,
};
use crate::store::{
    Column, Lookup, LookupKey, Resolution, Schema, StoreError, StoreErrorKind, TableName,
};

pub(super) struct Connection {
    sqlite: Sqlite,
    known: Option<Known>,
}

struct Known {
    layout: Layout<()>,
    statements: Statements,
    /// SQLite counts every change of the schema.
    schema_version: i64,
    user_fields: Vec<String>,
}

impl Connection {
    /// Opens the file, which must exist, for reading.
    ///
    /// The file is opened for writing as far as SQLite itself needs that, to recover from a crash of the writer or to
    /// share a write-ahead log; statements that would write are refused.
    pub(super) fn open(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sqlite = Sqlite::open_with_flags(path, flags).map_err(|error| failure(&error))?;
        sqlite
            .busy_timeout(busy_timeout)
            .and_then(|()| sqlite.pragma_update(None, "query_only", true))
            .map_err(|error| failure(&error))?;
        Ok(Self {
            sqlite,
            known: None,
        })
    }

    pub(super) fn interrupt_handle(&self) -> InterruptHandle {
        self.sqlite.get_interrupt_handle()
    }

    /// From here on, all that is read stood in the file at one time: that of the first read.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.execute("BEGIN")
    }

    /// Ends what [`begin`](Self::begin) has begun, unless an error has ended it already.
    pub(super) fn end(&self) -> Result<(), StoreError> {
        match self.sqlite.is_autocommit() {
            true => Ok(()),
            false => self.execute("COMMIT"),
        }
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
        let Some(known @ Known { statements, .. }) = &self.known else {
            return Err(StoreErrorKind::Schema.into());
        };
        let (now, session_id) = (lookup.now().as_unix_seconds_f64(), lookup.session_id());
        let pairs = match lookup.key() {
            LookupKey::Email(email) => {
                let keys = params![now, session_id, email.as_str(), email.to_lowercase()];
                self.pairs(known, &statements.by_email, keys)
            }
            LookupKey::UserId(id) => {
                self.pairs(known, &statements.by_user_id, params![now, session_id, id])
            }
            LookupKey::SessionToken(token) => {
                let Some(sql) = &statements.by_token else {
                    let cause = "the session table has no `token` column";
                    return Err(StoreError::new(StoreErrorKind::Unsupported, cause));
                };
                self.pairs(known, sql, params![now, session_id, token.expose()])
            }
            LookupKey::ApiKey(hash) => return self.resolve_api_key(known, hash),
        };
        answer(pairs.map_err(|error| failure(&error))?, lookup)
    }

    fn pairs(&self, known: &Known, sql: &str, keys: impl Params) -> rusqlite::Result<Vec<Pair>> {
        let first_field = Column::ALL.len();
        let mut statement = self.sqlite.prepare_cached(sql)?;
        let pairs = statement.query_map(keys, |row| {
            let user = read_user(row, first_field, &known.user_fields)?;
            Ok((user, read_session(row)?))
        })?;
        pairs.collect()
    }

    fn resolve_api_key(&self, known: &Known, hash: &ApiKeyHash) -> Result<Resolution, StoreError> {
        let sql = known.statements.by_api_key.as_ref();
        let sql = sql.map_err(|lack| StoreError::new(StoreErrorKind::Schema, lack.as_str()))?;
        let first_field = USER_COLUMNS + ApiKeyColumn::ALL.len();
        let rows = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.sqlite.prepare_cached(sql)?;
            let rows = statement.query_map([hash.as_str()], |row| {
                let user = read_user(row, first_field, &known.user_fields)?;
                Ok((user, read_api_key(row, USER_COLUMNS)?))
            })?;
            rows.collect()
        };
        api_key_answer(rows().map_err(|error| failure(&error))?, hash)
    }

    pub(super) fn member(
        &mut self,
        schema: &Schema,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        self.refresh(schema)?;
        let Some(Known { statements, .. }) = &self.known else {
            return Err(StoreErrorKind::Schema.into());
        };
        let sql = statements.member.as_ref();
        let sql = sql.map_err(|lack| no_members(lack))?;
        let rows = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.sqlite.prepare_cached(sql)?;
            let rows = statement.query_map([user_id, organization_id], |row| read_member(row))?;
            rows.collect()
        };
        let rows = rows().map_err(|error| failure(&error))?;
        member_answer(rows, user_id, organization_id)
    }

    /// The public keys that were in force at a time, or have ended less than the grace period before.
    pub(super) fn public_keys(
        &self,
        schema: &Schema,
        now: Timestamp,
        grace_period: Duration,
    ) -> Result<KeySet, StoreError> {
        let table = self.side_table(&KeyColumn::tables(schema), &KeyColumn::NAMES)?;
        let table = table.map_err(|lack| StoreError::new(StoreErrorKind::Schema, lack))?;
        let mut keys = KeySet::default();
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.sqlite.prepare(&public_keys(&table))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let ends = row.time_at(KeyColumn::ExpiresAt as usize)?;
                if ends.is_some_and(|ends| ends.saturating_add(grace_period) <= now) {
                    continue;
                }
                let kid: String = row.get(KeyColumn::Id as usize)?;
                let key: String = row.get(KeyColumn::PublicKey as usize)?;
                keys.push_row(kid, row.get(KeyColumn::Alg as usize)?, &key);
            }
            Ok(())
        };
        read().map_err(|error| failure(&error))?;
        Ok(keys)
    }

    pub(super) fn check(&mut self, schema: &Schema) -> Result<(), StoreError> {
        self.refresh(schema)
    }

    /// Looks for the tables again where the database's schema is not the one that is known.
    fn refresh(&mut self, schema: &Schema) -> Result<(), StoreError> {
        let schema_version = self.schema_version().map_err(|error| failure(&error))?;
        if let Some(known) = &self.known
            && known.schema_version == schema_version
        {
            return Ok(());
        }
        let in_use = self.known.take().map(|known| known.layout);
        let layout = self.find(schema, in_use.as_ref())?;
        let api_keys = self.side_table(&ApiKeyColumn::tables(schema), &ApiKeyColumn::NAMES)?;
        let members = self.side_table(&MemberColumn::tables(schema), &MemberColumn::NAMES)?;
        let user_fields = layout.user_fields().iter();
        self.known = Some(Known {
            statements: Statements::new(&layout, api_keys, members),
            user_fields: user_fields.map(|(name, ())| name.clone()).collect(),
            layout,
            schema_version,
        });
        Ok(())
    }

    fn schema_version(&self) -> rusqlite::Result<i64> {
        let mut statement = self.sqlite.prepare_cached("PRAGMA schema_version")?;
        statement.query_row([], |row| row.get(0))
    }

    fn find(&self, schema: &Schema, in_use: Option<&Layout<()>>) -> Result<Layout<()>, StoreError> {
        let found = self.found(&candidate_tables(schema))?;
        Layout::choose(schema, &found, in_use)
            .map_err(|error| StoreError::new(StoreErrorKind::Schema, error))
    }

    /// One of these tables, or why there is none.
    fn side_table(
        &self,
        tables: &[TableName],
        columns: &[SideColumn],
    ) -> Result<Result<SideTable<()>, String>, StoreError> {
        let found = self.found(tables)?;
        Ok(SideTable::choose(tables, columns, &found, |()| true))
    }

    /// The columns of the tables that exist.
    fn found(&self, tables: &[TableName]) -> Result<FoundTables<()>, StoreError> {
        let mut found = FoundTables::new();
        for table in tables {
            let names = self
                .column_names(table.schema(), table.name())
                .map_err(|error| failure(&error))?;
            if !names.is_empty() {
                let columns = names.into_iter().map(|name| (name, ()));
                found.insert(table.to_string(), columns.collect());
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

/// SQLite's own sentence goes to the log for the errors that quote no value.
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
            format!("column {index} ({name}) holds {found}")
        }
        _ => "unexpected answer".to_owned(),
    };
    StoreError::new(kind, text)
}

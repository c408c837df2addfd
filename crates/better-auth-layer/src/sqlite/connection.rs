//! One connection to the file, used by one lookup at a time.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection as Sqlite, ErrorCode, InterruptHandle, OpenFlags, Params, params};

use super::statements::Statements;
use crate::store::sql::{
    FoundTables, Layout, Pair, answer, candidate_tables, read_session, read_user,
};
use crate::store::{Lookup, LookupKey, Resolution, Schema, StoreError, StoreErrorKind};

pub(super) struct Connection {
    sqlite: Sqlite,
    known: Option<Known>,
}

struct Known {
    layout: Layout<()>,
    statements: Statements,
    /// SQLite counts every change of the schema.
    schema_version: i64,
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

    pub(super) fn resolve(
        &mut self,
        schema: &Schema,
        lookup: &Lookup<'_>,
    ) -> Result<Resolution, StoreError> {
        self.refresh(schema)?;
        let Some(Known { statements, .. }) = &self.known else {
            return Err(StoreErrorKind::Schema.into());
        };
        let (now, session_id) = (lookup.now().as_unix_seconds_f64(), lookup.session_id());
        let pairs = match lookup.key() {
            LookupKey::Email(email) => {
                let keys = params![now, session_id, email.as_given(), email.lower_cased()];
                self.pairs(&statements.by_email, keys)
            }
            LookupKey::UserId(id) => {
                self.pairs(&statements.by_user_id, params![now, session_id, id])
            }
            LookupKey::SessionToken(token) => {
                let Some(sql) = &statements.by_token else {
                    let cause = "the session table has no `token` column";
                    return Err(StoreError::new(StoreErrorKind::Unsupported, cause));
                };
                self.pairs(sql, params![now, session_id, token.expose()])
            }
        };
        answer(pairs.map_err(|error| failure(&error))?, lookup)
    }

    fn pairs(&self, sql: &str, keys: impl Params) -> rusqlite::Result<Vec<Pair>> {
        let mut statement = self.sqlite.prepare_cached(sql)?;
        let pairs = statement.query_map(keys, |row| Ok((read_user(row)?, read_session(row)?)))?;
        pairs.collect()
    }

    pub(super) fn check(&mut self, schema: &Schema) -> Result<(), StoreError> {
        self.refresh(schema)
    }

    /// Looks for the tables again where the database's schema is not the one that is known.
    fn refresh(&mut self, schema: &Schema) -> Result<(), StoreError> {
        let schema_version = self
            .sqlite
            .pragma_query_value(None, "schema_version", |row| row.get(0))
            .map_err(|error| failure(&error))?;
        if let Some(known) = &self.known
            && known.schema_version == schema_version
        {
            return Ok(());
        }
        let in_use = self.known.take().map(|known| known.layout);
        let layout = self.find(schema, in_use.as_ref())?;
        self.known = Some(Known {
            statements: Statements::new(&layout),
            layout,
            schema_version,
        });
        Ok(())
    }

    fn find(&self, schema: &Schema, in_use: Option<&Layout<()>>) -> Result<Layout<()>, StoreError> {
        let mut found = FoundTables::new();
        for table in candidate_tables(schema) {
            let names = self
                .column_names(table.schema(), table.name())
                .map_err(|error| failure(&error))?;
            if !names.is_empty() {
                let columns = names.into_iter().map(|name| (name, ()));
                found.insert(table.to_string(), columns.collect());
            }
        }
        Layout::choose(schema, &found, in_use)
            .map_err(|error| StoreError::new(StoreErrorKind::Schema, error))
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

//! One connection to the file, used by one lookup at a time.

use std::path::Path;
use std::time::Duration;

use rusqlite::{
    Connection as Sqlite, ErrorCode, InterruptHandle, OpenFlags, OptionalExtension, params,
};

use super::statements::Statements;
use crate::store::sql::{FoundTables, Layout, candidate_tables, read_session, read_user};
use crate::store::{Lookup, LookupKey, LookupKind, Resolution, Schema, StoreError, StoreErrorKind};

pub(super) struct Connection {
    sqlite: Sqlite,
    known: Option<Known>,
}

struct Known {
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
        let statements = self.statements(schema)?;
        let (sql, keys) = match lookup.key() {
            LookupKey::Email(email) => (
                &statements.by_email,
                vec![email.as_given(), email.lower_cased()],
            ),
            LookupKey::UserId(id) => (&statements.by_user_id, vec![&**id]),
            LookupKey::SessionToken(token) => {
                let Some(sql) = &statements.by_token else {
                    let cause = "the session table has no `token` column";
                    return Err(StoreError::new(StoreErrorKind::Unsupported, cause));
                };
                (sql, vec![token.expose()])
            }
        };
        let sql = sql.clone();
        let answer = self.ask(&sql, &keys, lookup);
        answer.map_err(|error| failure(&error))
    }

    fn ask(&self, sql: &str, keys: &[&str], lookup: &Lookup<'_>) -> rusqlite::Result<Resolution> {
        let mut statement = self.sqlite.prepare_cached(sql)?;
        let (now, session_id) = (lookup.now().as_unix_seconds_f64(), lookup.session_id());
        let found = match keys {
            [first, second] => statement.query_row(params![now, session_id, first, second], pair),
            keys => statement.query_row(params![now, session_id, keys.first()], pair),
        };
        let kind = lookup.key().kind();
        Ok(match found.optional()? {
            None if kind == LookupKind::SessionToken => Resolution::NoActiveSession,
            None | Some((None, _)) => Resolution::UserNotFound,
            // To SQLite the text `007` equals the number 7; it is not the id `7`.
            Some((Some(user), _)) if matches!(lookup.key(), LookupKey::UserId(id) if id != user.id()) => {
                Resolution::UserNotFound
            }
            Some((Some(_), None)) => Resolution::NoActiveSession,
            Some((Some(user), Some(session))) => {
                if session_id.is_some_and(|id| id != session.id()) {
                    Resolution::NoActiveSession
                } else {
                    Resolution::found(user, session)
                }
            }
        })
    }

    pub(super) fn check(&mut self, schema: &Schema) -> Result<(), StoreError> {
        self.statements(schema).map(|_| ())
    }

    /// The statements for the tables as they are now.
    fn statements(&mut self, schema: &Schema) -> Result<&Statements, StoreError> {
        let version = self
            .sqlite
            .pragma_query_value(None, "schema_version", |row| row.get(0))
            .map_err(|error| failure(&error))?;
        let known = match self.known.take() {
            Some(known) if known.schema_version == version => known,
            _ => Known {
                statements: Statements::new(&self.find(schema)?),
                schema_version: version,
            },
        };
        Ok(&self.known.insert(known).statements)
    }

    fn find(&self, schema: &Schema) -> Result<Layout<()>, StoreError> {
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
        Layout::choose(schema, &found)
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

type Pair = (
    Option<crate::identity::User>,
    Option<crate::identity::Session>,
);

fn pair(row: &rusqlite::Row<'_>) -> rusqlite::Result<Pair> {
    Ok((read_user(row)?, read_session(row)?))
}

/// SQLite's own sentence goes to the log for the errors that quote no value.
fn failure(error: &rusqlite::Error) -> StoreError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreErrorKind::Timeout,
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

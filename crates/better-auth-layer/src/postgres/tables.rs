//! Discovery: which tables and columns the database has.

use std::time::Duration;

use tokio_postgres::Row as PgRow;
use tokio_postgres::types::Type;

use super::connections::Connection;
use super::failure::Failure;
use crate::clock::Timestamp;
use crate::jwks::KeySet;
use crate::schema::{Schema, TableName};
use crate::sql::{
    self, ApiKeyTable, BatchKey, ColumnType, Dialect, FoundColumn, FoundTables, JwksTable,
    ResolvedSchema, Statements, add_public_key, candidate_tables,
};
use crate::store::{StoreError, StoreErrorKind};

/// The resolved schema and its statements.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) schema: ResolvedSchema,
    pub(super) statements: Statements,
    pub(super) user_fields: Vec<String>,
}

/// One row per column of every candidate that exists, and none for those that do not.
pub(super) const COLUMNS: &str = "\
    SELECT number, a.attname::text, t.typname::text, t.typcategory::text, \
    pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'), \
    t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace \
    FROM unnest($1::text[]) WITH ORDINALITY AS candidates (candidate, number) \
    JOIN pg_catalog.pg_class c \
    ON c.oid = pg_catalog.to_regclass(candidate) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    JOIN pg_catalog.pg_type d ON d.oid = a.atttypid \
    JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END";

impl Tables {
    pub(super) async fn find(
        connection: &Connection,
        schema: &Schema,
        in_use: Option<&Self>,
    ) -> Result<Result<Self, StoreError>, Failure> {
        let mut candidates = candidate_tables(schema);
        candidates.extend(ApiKeyTable::candidates(schema));
        let found = find_columns(connection, &candidates).await?;
        Ok(Self::of(schema, &found, in_use))
    }

    fn of(schema: &Schema, found: &FoundTables, in_use: Option<&Self>) -> Result<Self, StoreError> {
        let in_use = in_use.map(|tables| &tables.schema);
        let resolved = ResolvedSchema::resolve(schema, found, in_use)
            .map_err(|error| StoreError::new(StoreErrorKind::Schema, error))?;
        let ResolvedSchema { user, session } = &resolved;
        let times = [
            Some(&session.expires_at),
            session.created_at.as_ref(),
            user.ban_expires.as_ref(),
        ];
        for column in times.into_iter().flatten() {
            if !matches!(column.kind, ColumnType::Timestamp | ColumnType::Number) {
                let cause = format!(
                    "column \"{}\" does not contain times; make it `timestamptz`, `timestamp` (in UTC) or a number",
                    column.name
                );
                return Err(StoreError::new(StoreErrorKind::Schema, cause));
            }
        }
        let api_keys = ApiKeyTable::resolve(schema, found);
        Ok(Self {
            statements: Statements::new(Dialect::Postgres, &resolved, api_keys),
            user_fields: user.field_names(),
            schema: resolved,
        })
    }
}

/// The columns of the tables that exist.
pub(super) async fn find_columns(
    connection: &Connection,
    candidates: &[TableName],
) -> Result<FoundTables, Failure> {
    let names: Vec<String> = candidates.iter().map(ToString::to_string).collect();
    let rows = connection
        .query(COLUMNS, &[(&names, Type::TEXT_ARRAY)])
        .await?;
    Ok(found_tables(candidates, &rows))
}

/// The tables in the rows of [`COLUMNS`].
pub(super) fn found_tables(candidates: &[TableName], rows: &[PgRow]) -> FoundTables {
    let mut found = FoundTables::default();
    for row in rows {
        let number: i64 = row.try_get(0).unwrap_or_default();
        let index = usize::try_from(number - 1).ok();
        let Some(table) = index.and_then(|index| candidates.get(index)) else {
            continue;
        };
        let text = |index: usize| row.try_get::<_, String>(index).unwrap_or_default();
        let column = FoundColumn {
            kind: ColumnType::of(&text(2), &text(3)),
            is_readable: row.try_get(4).unwrap_or(false),
            batch_key: match row.try_get(5) {
                Ok(true) => BatchKey::of(&text(2)),
                _ => None,
            },
        };
        found.insert(table, text(1), column);
    }
    found
}

/// The public keys that are valid at a time, or whose grace period has not ended.
pub(super) async fn public_keys(
    connection: &Connection,
    schema: &Schema,
    now: Timestamp,
    grace_period: Duration,
) -> Result<Result<KeySet, StoreError>, Failure> {
    let found = find_columns(connection, &JwksTable::candidates(schema)).await?;
    let table = match JwksTable::resolve(schema, &found) {
        Ok(table) => table,
        Err(error) => return Ok(Err(error)),
    };
    let statement = sql::public_keys(Dialect::Postgres, &table);
    let rows = connection.query(&statement, &[]).await?;
    let mut keys = KeySet::default();
    let mut rows = rows.iter();
    let added = rows.try_for_each(|row| add_public_key(&mut keys, row, now, grace_period));
    Ok(added.map(|()| keys))
}

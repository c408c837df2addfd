//! Finds out which tables and columns the database has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::types::Type;

use super::column_type::{ColumnType, FoundColumn};
use super::connections::Connection;
use super::failure::Failure;
use super::key_type::KeyType;
use super::lookup_sql::{self, LookupSql};
use crate::clock::Timestamp;
use crate::jwks::KeySet;
use crate::store::sql::{
    ApiKeyColumn, FoundTables, KeyColumn, Layout, Record, SideColumn, SideTable, candidate_tables,
};
use crate::store::{Column, Schema, StoreError, StoreErrorKind, TableName};

/// The tables as they were found, and the statements for them.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) layout: Layout<FoundColumn>,
    pub(super) sql: LookupSql,
    pub(super) user_fields: Vec<String>,
}

/// One row per column of every candidate that exists; none, and no error, for those that do not.
pub(super) const COLUMNS: &str = "\
    SELECT candidate, a.attname::text, t.typname::text, t.typcategory::text, \
    pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'), \
    t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace \
    FROM unnest($1::text[]) AS candidate \
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
        candidates.extend(ApiKeyColumn::tables(schema));
        let found = find_columns(connection, &candidates).await?;
        Ok(Self::of(schema, &found, in_use))
    }

    fn of(
        schema: &Schema,
        found: &FoundTables<FoundColumn>,
        in_use: Option<&Self>,
    ) -> Result<Self, StoreError> {
        let mut layout = Layout::choose(schema, found, in_use.map(|tables| &tables.layout))
            .map_err(|error| StoreError::new(StoreErrorKind::Schema, error))?;
        leave_unreadable(&mut layout)?;
        for column in [
            Column::SessionExpiresAt,
            Column::SessionCreatedAt,
            Column::UserBanExpires,
        ] {
            let kind = layout.column_type(column);
            if let Some((name, _)) = layout.found(column)
                && !matches!(kind, ColumnType::Timestamp | ColumnType::Number)
            {
                let cause = format!(
                    "column \"{name}\" is no time; make it `timestamptz`, `timestamp` (holding UTC) or a number"
                );
                return Err(StoreError::new(StoreErrorKind::Schema, cause));
            }
        }
        let api_keys = ApiKeyColumn::tables(schema);
        let api_keys = choose_side_table(&api_keys, &ApiKeyColumn::NAMES, found);
        let sql = LookupSql::new(&layout, api_keys);
        let user_fields = layout.user_fields().iter();
        Ok(Self {
            user_fields: user_fields.map(|(name, _)| name.clone()).collect(),
            layout,
            sql,
        })
    }
}

/// The columns of the tables that exist.
pub(super) async fn find_columns(
    connection: &Connection,
    tables: &[TableName],
) -> Result<FoundTables<FoundColumn>, Failure> {
    let candidates: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let rows = connection
        .query(COLUMNS, &[(&candidates, Type::TEXT_ARRAY)])
        .await?;
    let mut found = FoundTables::new();
    for row in &rows {
        let text = |index: usize| row.try_get::<_, String>(index).unwrap_or_default();
        let columns: &mut BTreeMap<_, _> = found.entry(text(0)).or_default();
        let column = FoundColumn {
            kind: ColumnType::of(&text(2), &text(3)),
            is_readable: row.try_get(4).unwrap_or(false),
            key: match row.try_get(5) {
                Ok(true) => KeyType::of(&text(2)),
                _ => None,
            },
        };
        columns.insert(text(1), column);
    }
    Ok(found)
}

pub(super) fn choose_side_table(
    candidates: &[TableName],
    columns: &[SideColumn],
    found: &FoundTables<FoundColumn>,
) -> Result<SideTable<FoundColumn>, String> {
    SideTable::choose(candidates, columns, found, |column| column.is_readable)
}

/// The public keys that were in force at a time, or have ended less than the grace period before.
pub(super) async fn public_keys(
    connection: &Connection,
    schema: &Schema,
    now: Timestamp,
    grace_period: Duration,
) -> Result<Result<KeySet, StoreError>, Failure> {
    let tables = KeyColumn::tables(schema);
    let found = find_columns(connection, &tables).await?;
    let table = match choose_side_table(&tables, &KeyColumn::NAMES, &found) {
        Ok(table) => table,
        Err(lack) => return Ok(Err(StoreError::new(StoreErrorKind::Schema, lack))),
    };
    let rows = connection
        .query(&lookup_sql::public_keys(&table), &[])
        .await?;
    Ok(rows.iter().try_fold(KeySet::default(), |mut keys, row| {
        let ends = row.time_at(KeyColumn::ExpiresAt as usize)?;
        let text = |column: KeyColumn| row.text_at(column as usize);
        if let (Some(kid), Some(key)) = (text(KeyColumn::Id)?, text(KeyColumn::PublicKey)?)
            && ends.is_none_or(|ends| ends.saturating_add(grace_period) > now)
        {
            let alg = text(KeyColumn::Alg)?.map(Cow::into_owned);
            keys.push_row(kid.into_owned(), alg, &key);
        }
        Ok(keys)
    }))
}

/// Does without columns that the role may not read, unless they decide who comes in: a ban that cannot be read is not
/// the same as none.
fn leave_unreadable(layout: &mut Layout<FoundColumn>) -> Result<(), StoreError> {
    let mut lacking = Vec::new();
    for &column in Column::ALL {
        let Some((name, FoundColumn { is_readable, .. })) = layout.found(column) else {
            continue;
        };
        if is_readable {
            continue;
        }
        if decides(column) {
            let table = if column.is_in_user_table() {
                layout.user_table()
            } else {
                layout.session_table()
            };
            lacking.push(format!("column \"{name}\" of {table}"));
        } else {
            layout.leave(column);
        }
    }
    for (name, FoundColumn { is_readable, .. }) in layout.user_fields() {
        if !is_readable {
            lacking.push(format!("column \"{name}\" of {}", layout.user_table()));
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let cause = format!(
        "the database's role may not read {}; GRANT SELECT on it",
        lacking.join(", ")
    );
    Err(StoreError::new(StoreErrorKind::Schema, cause))
}

fn decides(column: Column) -> bool {
    column.is_required()
        || matches!(
            column,
            Column::UserBanned | Column::UserBanExpires | Column::SessionImpersonatedBy
        )
}

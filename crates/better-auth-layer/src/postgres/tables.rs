//! Finds out which tables and columns the database has.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::column_type::{ColumnType, FoundColumn};
use super::connections::Connection;
use super::failure::Failure;
use super::statements::Statements;
use crate::store::sql::{FoundTables, Layout, candidate_tables};
use crate::store::{Column, Schema, StoreError, StoreErrorKind};

/// The tables as they were found, and the statements for them.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) layout: Layout<FoundColumn>,
    pub(super) statements: Statements,
}

/// One row per column of every candidate that exists; none, and no error, for those that do not.
const COLUMNS: &str = "\
    SELECT candidate, a.attname::text, t.typname::text, t.typcategory::text, \
    pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') \
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
        let candidates: Vec<String> = candidate_tables(schema)
            .iter()
            .map(ToString::to_string)
            .collect();
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
            };
            columns.insert(text(1), column);
        }
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
        let statements = Statements::new(&layout);
        Ok(Self { layout, statements })
    }
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

//! Finds out which tables and columns the database has.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::column_type::ColumnType;
use super::connections::Connection;
use super::failure::Failure;
use super::statements::Statements;
use crate::store::sql::{FoundTables, Layout, candidate_tables};
use crate::store::{Column, Schema, StoreError, StoreErrorKind};

/// The tables as they were found, and the statements for them.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) layout: Layout<ColumnType>,
    pub(super) statements: Statements,
}

/// One row per column of every candidate that exists; none, and no error, for those that do not.
const COLUMNS: &str = "\
    SELECT candidate, a.attname::text, t.typname::text, t.typcategory::text \
    FROM unnest($1::text[]) AS candidate \
    JOIN pg_catalog.pg_attribute a \
    ON a.attrelid = pg_catalog.to_regclass(candidate) AND a.attnum > 0 AND NOT a.attisdropped \
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid";

impl Tables {
    pub(super) async fn find(
        connection: &Connection,
        schema: &Schema,
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
            columns.insert(text(1), ColumnType::of(&text(2), &text(3)));
        }
        Ok(Self::of(schema, &found))
    }

    fn of(schema: &Schema, found: &FoundTables<ColumnType>) -> Result<Self, StoreError> {
        let layout = Layout::choose(schema, found)
            .map_err(|error| StoreError::new(StoreErrorKind::Schema, error))?;
        for column in [
            Column::SessionExpiresAt,
            Column::SessionCreatedAt,
            Column::UserBanExpires,
        ] {
            if let Some((name, ColumnType::Text | ColumnType::Uuid | ColumnType::Other)) =
                layout.found(column)
            {
                return Err(StoreError::new(
                    StoreErrorKind::Schema,
                    format!(
                        "column \"{name}\" is no time; make it `timestamptz`, `timestamp` (holding UTC) or a number"
                    ),
                ));
            }
        }
        let statements = Statements::new(&layout);
        Ok(Self { layout, statements })
    }
}

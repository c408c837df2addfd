//! The types of columns.

use super::key_type::KeyType;
use crate::store::Column;
use crate::store::sql::Layout;

/// What a column holds, as far as reading it depends on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Text,
    Number,
    Uuid,
    Timestamp,
    Other,
}

impl ColumnType {
    /// From the name and the category of a type in `pg_type`; of a domain, those of the type below it.
    pub(super) fn of(name: &str, category: &str) -> Self {
        match (name, category) {
            ("uuid", _) => Self::Uuid,
            ("int2" | "int4" | "int8" | "numeric" | "float4" | "float8", _) => Self::Number,
            ("timestamp" | "timestamptz" | "date", _) => Self::Timestamp,
            (_, "S") => Self::Text,
            _ => Self::Other,
        }
    }
}

/// A column that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundColumn {
    pub(super) kind: ColumnType,
    /// Whether this role may read it.
    pub(super) is_readable: bool,
    /// How several keys are compared with it in one statement, where they can be.
    pub(super) key: Option<KeyType>,
}

impl Layout<FoundColumn> {
    /// How several keys are compared with a column in one statement, where they can be.
    pub(super) fn key_type(&self, column: Column) -> Option<KeyType> {
        self.found(column).and_then(|(_, found)| found.key)
    }

    /// What a column holds; [`ColumnType::Other`] also where it does not exist.
    pub(super) fn column_type(&self, column: Column) -> ColumnType {
        self.found(column)
            .map_or(ColumnType::Other, |(_, found)| found.kind)
    }
}

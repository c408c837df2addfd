//! The types of columns.

use crate::store::Column;
use crate::store::sql::Layout;

/// What a column holds, as far as reading it depends on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Text,
    Integer,
    Uuid,
    Timestamp,
    Other,
}

impl ColumnType {
    /// From the name and the category of a type in `pg_type`.
    pub(super) fn of(name: &str, category: &str) -> Self {
        match (name, category) {
            ("uuid", _) => Self::Uuid,
            ("int2" | "int4" | "int8", _) => Self::Integer,
            ("timestamp" | "timestamptz" | "date", _) => Self::Timestamp,
            (_, "S") => Self::Text,
            _ => Self::Other,
        }
    }

    /// Whether a key can be equal, letter for letter, to the text of a value in a column of this type. `007` is the
    /// number 7 to PostgreSQL, and not the id `7`.
    pub(super) fn may_hold(self, key: &str) -> bool {
        match self {
            Self::Integer => key
                .parse::<i64>()
                .is_ok_and(|number| number.to_string() == key),
            Self::Uuid => {
                key.len() == 36
                    && key.bytes().enumerate().all(|(index, byte)| match index {
                        8 | 13 | 18 | 23 => byte == b'-',
                        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
                    })
            }
            Self::Text | Self::Timestamp | Self::Other => !key.contains('\0'),
        }
    }
}

impl Layout<ColumnType> {
    /// What a column holds; [`ColumnType::Other`] also where it does not exist.
    pub(super) fn column_type(&self, column: Column) -> ColumnType {
        self.found(column)
            .map_or(ColumnType::Other, |(_, kind)| kind)
    }
}

//! Types of columns, as far as a statement depends on them.

/// The type of a column. SQLite's columns have no type: all of them are [`Other`](Self::Other).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "SQLite does not report types of columns")
)]
pub(crate) enum ColumnType {
    Text,
    Number,
    Uuid,
    Timestamp,
    #[default]
    Other,
}

/// A type whose values can be sent to PostgreSQL as an array of texts, so that lookups share a
/// statement.
///
/// The whole statement fails if the server cannot parse one of the values, so a batch contains only
/// keys that this type [accepts](Self::accepts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "SQLite does not report types of columns")
)]
pub(crate) enum BatchKey {
    Text,
    VarChar,
    BpChar,
    Int2,
    Int4,
    Int8,
    Numeric,
    Uuid,
}

#[cfg(feature = "postgres")]
impl ColumnType {
    /// From `typname` and `typcategory` of `pg_type`; for a domain, those of its base type.
    pub(crate) fn of(name: &str, category: &str) -> Self {
        match (name, category) {
            ("uuid", _) => Self::Uuid,
            ("int2" | "int4" | "int8" | "numeric" | "float4" | "float8", _) => Self::Number,
            ("timestamp" | "timestamptz" | "date", _) => Self::Timestamp,
            (_, "S") => Self::Text,
            _ => Self::Other,
        }
    }
}

#[cfg(feature = "postgres")]
impl BatchKey {
    /// From the name of a type in the schema `pg_catalog`.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "varchar" => Self::VarChar,
            "bpchar" => Self::BpChar,
            "int2" => Self::Int2,
            "int4" => Self::Int4,
            "int8" => Self::Int8,
            "numeric" => Self::Numeric,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    /// Whether the server can certainly parse this key. Other keys are looked up one at a time.
    pub(crate) fn accepts(self, key: &str) -> bool {
        match self {
            Self::Text | Self::VarChar | Self::BpChar => !key.contains('\0'),
            Self::Int2 => key.parse::<i16>().is_ok(),
            Self::Int4 => key.parse::<i32>().is_ok(),
            Self::Int8 | Self::Numeric => key.parse::<i64>().is_ok(),
            Self::Uuid => {
                key.len() == 36
                    && key.bytes().enumerate().all(|(index, byte)| match index {
                        8 | 13 | 18 | 23 => byte == b'-',
                        _ => byte.is_ascii_hexdigit(),
                    })
            }
        }
    }
}

impl BatchKey {
    /// The qualified name in SQL. A key is cast to the column's own type so that its index is used.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "pg_catalog.text",
            Self::VarChar => "pg_catalog.varchar",
            Self::BpChar => "pg_catalog.bpchar",
            Self::Int2 => "pg_catalog.int2",
            Self::Int4 => "pg_catalog.int4",
            Self::Int8 => "pg_catalog.int8",
            Self::Numeric => "pg_catalog.numeric",
            Self::Uuid => "pg_catalog.uuid",
        }
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_type_are_accepted() {
        let uuid = "0b5ef5a1-93c2-4b1c-8a55-1f0f5a4e0a01";
        for (batch_key, accepted, rejected) in [
            (BatchKey::Text, &["", "a", "ß"][..], &["\0", "a\0"][..]),
            (
                BatchKey::Int2,
                &["7", "-7", "32767"],
                &["32768", "", " 7", "7.0"],
            ),
            (BatchKey::Int4, &["2147483647"], &["2147483648", "1e3"]),
            (
                BatchKey::Int8,
                &["9223372036854775807"],
                &["9223372036854775808", "x"],
            ),
            (BatchKey::Numeric, &["007"], &["NaN", "0x1"]),
            (
                BatchKey::Uuid,
                &[uuid, &uuid.to_uppercase()],
                &[
                    "",
                    &uuid.replace('-', ""),
                    &format!("{{{uuid}}}"),
                    &uuid.replace('a', "g"),
                ],
            ),
        ] {
            for key in accepted {
                assert!(batch_key.accepts(key), "{batch_key:?}: {key:?}");
            }
            for key in rejected {
                assert!(!batch_key.accepts(key), "{batch_key:?}: {key:?}");
            }
        }
    }
}

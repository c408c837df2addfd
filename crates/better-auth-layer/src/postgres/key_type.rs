//! Keys of several lookups in one statement.

/// The type of a column with which keys are compared that come as text.
///
/// A key that the server cannot read makes the whole statement fail, so a key is sent together with others only where it
/// is surely one of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    Text,
    VarChar,
    BpChar,
    Int2,
    Int4,
    Int8,
    Numeric,
    Uuid,
}

impl KeyType {
    /// From the name of a type in the schema `pg_catalog`.
    pub(super) fn of(name: &str) -> Option<Self> {
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

    /// How SQL calls it, so that a key is compared as the column's own type and its index is used.
    pub(super) fn name(self) -> &'static str {
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

    /// Whether the server surely reads this key; what it reads besides is asked for alone.
    pub(super) fn takes(self, key: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_the_server_may_not_read_goes_alone() {
        let uuid = "0b5ef5a1-93c2-4b1c-8a55-1f0f5a4e0a01";
        for (key_type, taken, left) in [
            (KeyType::Text, &["", "a", "ß"][..], &["\0", "a\0"][..]),
            (
                KeyType::Int2,
                &["7", "-7", "32767"],
                &["32768", "", " 7", "7.0"],
            ),
            (KeyType::Int4, &["2147483647"], &["2147483648", "1e3"]),
            (
                KeyType::Int8,
                &["9223372036854775807"],
                &["9223372036854775808", "x"],
            ),
            (KeyType::Numeric, &["007"], &["NaN", "0x1"]),
            (
                KeyType::Uuid,
                &[uuid, &uuid.to_uppercase()],
                &[
                    "",
                    &uuid.replace('-', ""),
                    &format!("{{{uuid}}}"),
                    &uuid.replace('a', "g"),
                ],
            ),
        ] {
            for key in taken {
                assert!(key_type.takes(key), "{key_type:?}: {key:?}");
            }
            for key in left {
                assert!(!key_type.takes(key), "{key_type:?}: {key:?}");
            }
        }
    }
}

//! The shared part of the SQL stores: the resolved schema, the statements of all lookups, and the reading
//! of rows. A database adds its connection, the discovery of tables, and a [`Dialect`].

mod api_key_row;
mod column_type;
mod dialect;
mod jwks_row;
mod limits;
mod lookup_row;
mod member_row;
mod resolved_schema;
mod row;
mod statements;
mod table;

pub(crate) use self::api_key_row::ApiKeyTable;
#[cfg(feature = "postgres")]
pub(crate) use self::column_type::{BatchKey, ColumnType};
pub(crate) use self::dialect::Dialect;
pub(crate) use self::jwks_row::{JwksTable, add_public_key};
pub(crate) use self::limits::{MOST_WAITING, check_limits, check_range};
#[cfg(feature = "postgres")]
pub(crate) use self::lookup_row::not_found;
pub(crate) use self::lookup_row::{LookupRow, resolution};
pub(crate) use self::member_row::{MemberTable, membership, read_member};
pub(crate) use self::resolved_schema::{ResolvedSchema, SchemaError, candidate_tables};
pub(crate) use self::row::Row;
#[cfg(feature = "postgres")]
pub(crate) use self::statements::Batch;
pub(crate) use self::statements::{Statements, membership as membership_sql, public_keys};
#[cfg(feature = "postgres")]
pub(crate) use self::table::Column;
pub(crate) use self::table::{FoundColumn, FoundTables};

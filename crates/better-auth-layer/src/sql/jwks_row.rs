//! Better Auth's `jwks` table.

use std::borrow::Cow;
use std::time::Duration;

use super::row::{Columns, Row};
use super::table::{Column, FoundTables, candidates};
use crate::clock::Timestamp;
use crate::jwks::KeySet;
use crate::schema::{Schema, TableName};
use crate::store::{StoreError, StoreErrorKind};

/// The table, with its columns in the order in which the statement selects them. Private keys are
/// not read.
#[derive(Debug)]
pub(crate) struct JwksTable {
    pub(crate) table: TableName,
    pub(crate) id: Column,
    pub(crate) public_key: Column,
    pub(crate) alg: Option<Column>,
    pub(crate) expires_at: Option<Column>,
}

impl JwksTable {
    pub(crate) fn candidates(schema: &Schema) -> Vec<TableName> {
        candidates(schema, schema.jwks_table.as_ref(), ["jwks", "jwkss"])
    }

    pub(crate) fn resolve(schema: &Schema, found: &FoundTables) -> Result<Self, StoreError> {
        Self::pick(schema, found)
            .map_err(|problem| StoreError::new(StoreErrorKind::Schema, problem))
    }

    fn pick(schema: &Schema, found: &FoundTables) -> Result<Self, String> {
        let candidates = Self::candidates(schema);
        let mut columns = found.first_picker(&candidates)?;
        let id = columns.required(&["id"]);
        let public_key = columns.required(&["publicKey", "public_key"]);
        let (Some(id), Some(public_key)) = (id, public_key) else {
            return Err(columns.problem());
        };
        columns.check()?;
        Ok(Self {
            table: columns.table(),
            id,
            public_key,
            alg: columns.optional(&["alg"]),
            expires_at: columns.optional(&["expiresAt", "expires_at"]),
        })
    }
}

/// Adds the key in a row to a set, unless its grace period is over.
pub(crate) fn add_public_key<R: Row>(
    keys: &mut KeySet,
    row: &R,
    now: Timestamp,
    grace_period: Duration,
) -> Result<(), R::Error> {
    let mut columns = Columns::of(row);
    let (kid, key, alg) = (columns.text()?, columns.text()?, columns.text()?);
    let expires_at = columns.time()?;
    if let (Some(kid), Some(key)) = (kid, key)
        && expires_at.is_none_or(|expires_at| expires_at.saturating_add(grace_period) > now)
    {
        keys.push_row(kid.into_owned(), alg.map(Cow::into_owned), &key);
    }
    Ok(())
}

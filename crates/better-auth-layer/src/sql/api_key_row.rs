//! Better Auth's `apikey` table.

use std::time::Duration;

use super::row::{Columns, Row, is_false, is_true};
use super::table::{Column, FoundTables, candidates};
use crate::api_key::{ApiKey, ApiKeyHash};
use crate::clock::Timestamp;
use crate::schema::{Schema, TableName};

/// The table, with its columns in the order in which statements select them. The columns that
/// decide whether a key is valid are required.
#[derive(Debug)]
pub(crate) struct ApiKeyTable {
    pub(crate) table: TableName,
    pub(crate) id: Column,
    pub(crate) hash: Column,
    /// `referenceId`; `userId` up to Better Auth 1.4.
    pub(crate) owner: Column,
    pub(crate) enabled: Column,
    pub(crate) expires_at: Column,
    pub(crate) remaining: Column,
    pub(crate) config_id: Option<Column>,
    pub(crate) name: Option<Column>,
    pub(crate) refill_interval: Option<Column>,
    pub(crate) refill_amount: Option<Column>,
    pub(crate) last_refill_at: Option<Column>,
    pub(crate) created_at: Option<Column>,
    pub(crate) rate_limit_enabled: Option<Column>,
    pub(crate) rate_limit_time_window: Option<Column>,
    pub(crate) rate_limit_max: Option<Column>,
    pub(crate) permissions: Option<Column>,
}

impl ApiKeyTable {
    pub(crate) fn candidates(schema: &Schema) -> Vec<TableName> {
        candidates(schema, schema.api_key_table.as_ref(), ["apikey", "apikeys"])
    }

    /// Resolves the table that exists. The error lists missing columns.
    pub(crate) fn resolve(schema: &Schema, found: &FoundTables) -> Result<Self, String> {
        let candidates = Self::candidates(schema);
        let mut columns = found.first_picker(&candidates)?;
        let id = columns.required(&["id"]);
        let hash = columns.required(&["key"]);
        let owner = columns.required(&["referenceId", "reference_id", "userId", "user_id"]);
        let enabled = columns.required(&["enabled"]);
        let expires_at = columns.required(&["expiresAt", "expires_at"]);
        let remaining = columns.required(&["remaining"]);
        let (Some(id), Some(hash), Some(owner), Some(enabled), Some(expires_at), Some(remaining)) =
            (id, hash, owner, enabled, expires_at, remaining)
        else {
            return Err(columns.problem());
        };
        columns.check()?;
        Ok(Self {
            table: columns.table(),
            id,
            hash,
            owner,
            enabled,
            expires_at,
            remaining,
            config_id: columns.optional(&["configId", "config_id"]),
            name: columns.optional(&["name"]),
            refill_interval: columns.optional(&["refillInterval", "refill_interval"]),
            refill_amount: columns.optional(&["refillAmount", "refill_amount"]),
            last_refill_at: columns.optional(&["lastRefillAt", "last_refill_at"]),
            created_at: columns.optional(&["createdAt", "created_at"]),
            rate_limit_enabled: columns.optional(&["rateLimitEnabled", "rate_limit_enabled"]),
            rate_limit_time_window: columns
                .optional(&["rateLimitTimeWindow", "rate_limit_time_window"]),
            rate_limit_max: columns.optional(&["rateLimitMax", "rate_limit_max"]),
            permissions: columns.optional(&["permissions"]),
        })
    }
}

/// Reads the columns of [`ApiKeyTable`]. `None`: a required value is absent or invalid, so that the
/// key must not be accepted.
pub(super) fn read_api_key<R: Row>(
    columns: &mut Columns<'_, R>,
) -> Result<Option<ApiKey>, R::Error> {
    let (id, hash, owner) = (columns.text()?, columns.text()?, columns.text()?);
    let enabled = columns.text()?;
    let expires_at = columns.time()?;
    let remaining = columns.text()?;
    let (config_id, name) = (columns.text()?, columns.text()?);
    let (refill_interval, refill_amount) = (columns.text()?, columns.text()?);
    let (last_refill_at, created_at) = (columns.time()?, columns.time()?);
    let rate_limit_enabled = columns.text()?;
    let (rate_limit_window, rate_limit_max) = (columns.text()?, columns.text()?);
    let permissions = columns.text()?;

    let (Some(id), Some(hash), Some(owner)) = (id, hash, owner) else {
        return Ok(None);
    };
    // Better Auth rejects a key whose column is false. A value that is not clearly true is rejected
    // here as well.
    let is_enabled = enabled.is_none_or(|enabled| is_true(&enabled));
    let mut key = ApiKey::new(id, owner, ApiKeyHash::from_stored(hash)).with_enabled(is_enabled);
    if let Some(expires_at) = expires_at {
        key = key.with_expires_at(expires_at);
    }
    if let Some(config_id) = config_id {
        key = key.with_config_id(config_id);
    }
    if let Some(name) = name {
        key = key.with_name(name);
    }
    if let Some(remaining) = remaining {
        let Some(remaining) = integer(&remaining) else {
            return Ok(None);
        };
        key = key.with_remaining(remaining);
    }
    let refill_amount = refill_amount.as_deref().and_then(integer);
    if let (Some(interval), Some(1..)) =
        (refill_interval.as_deref().and_then(millis), refill_amount)
    {
        let filled_at = last_refill_at.or(created_at);
        let due_at = filled_at.map(|filled_at| filled_at.saturating_add(interval));
        key = key.with_refill_due_at(due_at.unwrap_or(Timestamp::MAX));
    }
    if rate_limit_enabled.is_none_or(|enabled| !is_false(&enabled))
        && let Some(window) = rate_limit_window.as_deref().and_then(millis)
        && let Some(uses) = rate_limit_max.as_deref().and_then(integer)
    {
        key = key.with_rate_limit(u64::try_from(uses).unwrap_or_default(), window);
    }
    if let Some(permissions) = permissions {
        key = key.with_permissions_json(&permissions);
    }
    Ok(Some(key))
}

/// An integer, which a database may write as `5.0`.
fn integer(text: &str) -> Option<i64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

fn millis(text: &str) -> Option<Duration> {
    let millis = u64::try_from(integer(text)?).ok()?;
    Some(Duration::from_millis(millis))
}

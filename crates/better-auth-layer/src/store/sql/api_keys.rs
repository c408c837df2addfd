//! Better Auth's `apikey` table.

use std::time::Duration;

use super::{Record, SideColumn};
use crate::clock::Timestamp;
use crate::identity::{ApiKey, ApiKeyHash, User};
use crate::store::schema::{Schema, TableName};
use crate::store::{Resolution, StoreError, StoreErrorKind};

/// The columns of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum ApiKeyColumn {
    Id,
    Key,
    /// `referenceId`; `userId` up to Better Auth 1.4.
    Owner,
    Enabled,
    ExpiresAt,
    Remaining,
    ConfigId,
    Name,
    RefillInterval,
    RefillAmount,
    LastRefillAt,
    CreatedAt,
    RateLimitEnabled,
    RateLimitTimeWindow,
    RateLimitMax,
    Permissions,
}

impl ApiKeyColumn {
    pub(crate) const ALL: [Self; 16] = [
        Self::Id,
        Self::Key,
        Self::Owner,
        Self::Enabled,
        Self::ExpiresAt,
        Self::Remaining,
        Self::ConfigId,
        Self::Name,
        Self::RefillInterval,
        Self::RefillAmount,
        Self::LastRefillAt,
        Self::CreatedAt,
        Self::RateLimitEnabled,
        Self::RateLimitTimeWindow,
        Self::RateLimitMax,
        Self::Permissions,
    ];

    /// Their names, in the order of [`ALL`](Self::ALL). What decides whether a key is good must be there.
    pub(crate) const NAMES: [SideColumn; 16] = [
        SideColumn::required(&["id"]),
        SideColumn::required(&["key"]),
        SideColumn::required(&["referenceId", "reference_id", "userId", "user_id"]),
        SideColumn::required(&["enabled"]),
        SideColumn::required(&["expiresAt", "expires_at"]),
        SideColumn::required(&["remaining"]),
        SideColumn::optional(&["configId", "config_id"]),
        SideColumn::optional(&["name"]),
        SideColumn::optional(&["refillInterval", "refill_interval"]),
        SideColumn::optional(&["refillAmount", "refill_amount"]),
        SideColumn::optional(&["lastRefillAt", "last_refill_at"]),
        SideColumn::optional(&["createdAt", "created_at"]),
        SideColumn::optional(&["rateLimitEnabled", "rate_limit_enabled"]),
        SideColumn::optional(&["rateLimitTimeWindow", "rate_limit_time_window"]),
        SideColumn::optional(&["rateLimitMax", "rate_limit_max"]),
        SideColumn::optional(&["permissions"]),
    ];

    /// The tables that may hold them.
    pub(crate) fn tables(schema: &Schema) -> Vec<TableName> {
        super::layout::tables(schema, schema.api_key_table(), ["apikey", "apikeys"])
    }

    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::ExpiresAt | Self::LastRefillAt | Self::CreatedAt)
    }
}

/// Reads an API key whose columns stand in a row from `first` on. `None`: the row cannot be understood, which must not
/// be taken for a key that may pass.
pub(crate) fn read_api_key<R: Record>(
    record: &R,
    first: usize,
) -> Result<Option<ApiKey>, R::Error> {
    let text = |column: ApiKeyColumn| record.text_at(first + column as usize);
    let time = |column: ApiKeyColumn| record.time_at(first + column as usize);
    let (Some(id), Some(hash), Some(owner)) = (
        text(ApiKeyColumn::Id)?,
        text(ApiKeyColumn::Key)?,
        text(ApiKeyColumn::Owner)?,
    ) else {
        return Ok(None);
    };
    let enabled = text(ApiKeyColumn::Enabled)?;
    // Better Auth refuses a key that says `false`; here one must say that it is enabled, or nothing.
    let is_enabled = enabled.is_none_or(|enabled| matches!(&*enabled, "true" | "t" | "1" | "1.0"));
    let mut key = ApiKey::new(id, owner, ApiKeyHash::from_stored(hash)).with_enabled(is_enabled);
    if let Some(expires_at) = time(ApiKeyColumn::ExpiresAt)? {
        key = key.with_expires_at(expires_at);
    }
    if let Some(config_id) = text(ApiKeyColumn::ConfigId)? {
        key = key.with_config_id(config_id);
    }
    if let Some(name) = text(ApiKeyColumn::Name)? {
        key = key.with_name(name);
    }
    if let Some(remaining) = text(ApiKeyColumn::Remaining)? {
        let Some(remaining) = whole(&remaining) else {
            return Ok(None);
        };
        key = key.with_remaining(remaining);
    }
    let number = |column| Ok(text(column)?.as_deref().and_then(whole));
    let millis = |column| {
        let number: Option<i64> = number(column)?;
        Ok(number
            .and_then(|millis| u64::try_from(millis).ok())
            .map(Duration::from_millis))
    };
    let amount: Option<i64> = number(ApiKeyColumn::RefillAmount)?;
    if let (Some(interval), Some(1..)) = (millis(ApiKeyColumn::RefillInterval)?, amount) {
        let filled_at = match time(ApiKeyColumn::LastRefillAt)? {
            Some(filled_at) => Some(filled_at),
            None => time(ApiKeyColumn::CreatedAt)?,
        };
        let due_at = filled_at.map(|filled_at: Timestamp| filled_at.saturating_add(interval));
        key = key.with_refill_due_at(due_at.unwrap_or(Timestamp::MAX));
    }
    let limited = text(ApiKeyColumn::RateLimitEnabled)?;
    if limited.is_none_or(|limited| !matches!(&*limited, "false" | "f" | "0" | "0.0"))
        && let Some(window) = millis(ApiKeyColumn::RateLimitTimeWindow)?
        && let Some(uses) = number(ApiKeyColumn::RateLimitMax)?
    {
        key = key.with_rate_limit(u64::try_from(uses).unwrap_or_default(), window);
    }
    if let Some(permissions) = text(ApiKeyColumn::Permissions)? {
        key = key.with_permissions_json(&permissions);
    }
    Ok(Some(key))
}

/// A number that a database may write with a fraction of nothing.
fn whole(text: &str) -> Option<i64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

/// Finds the answer among the rows of the statement.
pub(crate) fn api_key_answer(
    rows: impl IntoIterator<Item = (Option<User>, Option<ApiKey>)>,
    hash: &ApiKeyHash,
) -> Result<Resolution, StoreError> {
    let mut rows = rows.into_iter();
    let answer = match rows.next() {
        None => return Ok(Resolution::ApiKeyNotFound),
        // A column may compare without regard to case.
        Some((_, Some(key))) if key.hash() != hash => Resolution::ApiKeyNotFound,
        Some((Some(user), Some(key))) => Resolution::found_api_key(user, key),
        Some((None, Some(_))) => Resolution::UserNotFound,
        Some((_, None)) => {
            let cause = "the row of an API key cannot be understood";
            return Err(StoreError::new(StoreErrorKind::Schema, cause));
        }
    };
    if rows.next().is_some() {
        let cause = "several rows answer a lookup by API key";
        return Err(StoreError::new(StoreErrorKind::WrongAnswer, cause));
    }
    Ok(answer)
}

//! API keys of Better Auth's API key plugin: the key's row, its hash, and the options for
//! accepting keys.

mod hash;
mod header;
mod options;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use self::hash::ApiKeyHash;
pub(crate) use self::header::dedicated_header;
pub use self::options::ApiKeys;
use crate::clock::Timestamp;

/// An API key of Better Auth's API key plugin, as it is in the table, which has only the key's hash.
///
/// This crate does not write to the table, so it does **not** count uses. The application can read
/// the limits that Better Auth would enforce: [`remaining`](Self::remaining) and
/// [`rate_limit`](Self::rate_limit).
///
/// ```
/// use better_auth_layer::ApiKey;
/// use better_auth_layer::api_key::ApiKeyHash;
///
/// let key = ApiKey::new("key_1", "usr_1", ApiKeyHash::from_key("app_dGhlIGtleSBpdHNlbGY"))
///     .with_permissions_json(r#"{"files":["read","list"]}"#);
/// assert!(key.allows("files", "read"));
/// assert!(!key.allows("files", "delete"));
/// ```
///
/// `Debug` shows only the ids.
#[derive(Clone)]
pub struct ApiKey {
    id: Box<str>,
    reference_id: Box<str>,
    hash: ApiKeyHash,
    config_id: Option<Box<str>>,
    name: Option<Box<str>>,
    enabled: bool,
    expires_at: Option<Timestamp>,
    remaining: Option<i64>,
    refill_due_at: Option<Timestamp>,
    rate_limit: Option<(u64, Duration)>,
    permissions: BTreeMap<String, Vec<String>>,
}

impl ApiKey {
    /// The configuration of keys without a named one.
    pub(crate) const DEFAULT_CONFIGURATION: &str = "default";

    /// Creates an enabled key without an expiry and without permissions.
    #[must_use]
    pub fn new(
        id: impl Into<Box<str>>,
        reference_id: impl Into<Box<str>>,
        hash: ApiKeyHash,
    ) -> Self {
        Self {
            id: id.into(),
            reference_id: reference_id.into(),
            hash,
            config_id: None,
            name: None,
            enabled: true,
            expires_at: None,
            remaining: None,
            refill_due_at: None,
            rate_limit: None,
            permissions: BTreeMap::new(),
        }
    }

    /// Sets the configuration of the plugin that the key belongs to.
    #[must_use]
    pub fn with_config_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.config_id = Some(id.into());
        self
    }

    /// Sets the name that its owner gave it.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Enables or disables the key.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the expiry.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Sets how many uses are left.
    #[must_use]
    pub fn with_remaining(mut self, remaining: i64) -> Self {
        self.remaining = Some(remaining);
        self
    }

    /// Sets the time from which the next use refills [`remaining`](Self::remaining).
    #[must_use]
    pub fn with_refill_due_at(mut self, due_at: Timestamp) -> Self {
        self.refill_due_at = Some(due_at);
        self
    }

    /// Sets the number of uses that Better Auth allows per time window.
    #[must_use]
    pub fn with_rate_limit(mut self, uses: u64, window: Duration) -> Self {
        self.rate_limit = Some((uses, window));
        self
    }

    /// Sets the permissions from the JSON of the column, an object of resources with lists of actions.
    /// Other values allow nothing.
    #[must_use]
    pub fn with_permissions_json(mut self, json: &str) -> Self {
        self.permissions = serde_json::from_str(json).unwrap_or_default();
        self
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key's hash, by which it is found.
    #[must_use]
    pub fn hash(&self) -> &ApiKeyHash {
        &self.hash
    }

    /// The id of the key's owner, a user.
    #[must_use]
    pub fn reference_id(&self) -> &str {
        &self.reference_id
    }

    /// The key's configuration of the plugin. `None` means `default`: the column is null or does not
    /// exist (Better Auth up to 1.4).
    #[must_use]
    pub fn config_id(&self) -> Option<&str> {
        self.config_id.as_deref()
    }

    /// The name that its owner gave it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The expiry.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// The number of uses left when the row was read. This crate does not count it down.
    #[must_use]
    pub fn remaining(&self) -> Option<i64> {
        self.remaining
    }

    /// The number of uses that Better Auth allows per time window. This crate does not enforce it.
    #[must_use]
    pub fn rate_limit(&self) -> Option<(u64, Duration)> {
        self.rate_limit
    }

    /// The permissions: resources with their actions.
    pub fn permissions(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.permissions
            .iter()
            .map(|(resource, actions)| (resource.as_str(), actions.as_slice()))
    }

    /// Whether the permissions include an action for a resource.
    #[must_use]
    pub fn allows(&self, resource: &str, action: &str) -> bool {
        self.permissions
            .get(resource)
            .is_some_and(|actions| actions.iter().any(|allowed| allowed == action))
    }

    /// Whether the key is enabled.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether the key has expired. A key expires at the second of its expiry.
    #[must_use]
    pub fn is_expired_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Whether no uses are left and a refill is not due.
    #[must_use]
    pub fn is_used_up_at(&self, now: Timestamp) -> bool {
        self.remaining.is_some_and(|remaining| remaining <= 0)
            && self.refill_due_at.is_none_or(|due_at| due_at > now)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("reference_id", &self.reference_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api_key() -> ApiKey {
        ApiKey::new("k", "u", ApiKeyHash::from_key("app_key"))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn key_expires_at_its_expiry() {
        let key = api_key().with_expires_at(at(100));
        assert!(!key.is_expired_at(at(99)));
        assert!(key.is_expired_at(at(100)));
        assert!(!api_key().is_expired_at(Timestamp::MAX));
    }

    #[test]
    fn used_up_key_waits_for_refill() {
        let key = api_key().with_remaining(0);
        assert!(key.is_used_up_at(at(0)));
        let refilled = key.with_refill_due_at(at(50));
        assert!(refilled.is_used_up_at(at(49)));
        assert!(!refilled.is_used_up_at(at(50)));
        assert!(!api_key().with_remaining(1).is_used_up_at(at(0)));
    }

    #[test]
    fn invalid_permissions_allow_nothing() {
        for json in ["null", "", "[]", r#"{"files":"read"}"#, r#"{"files":[1]}"#] {
            let key = api_key().with_permissions_json(json);
            assert!(!key.allows("files", "read"), "{json}");
        }
    }
}

//! Makes an API key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::deployment::Deployment;
use super::json_object::JsonObject;
use super::{TestApiKey, TestUser, random};
use crate::api_key::{ApiKey, ApiKeyHash};
use crate::clock::Timestamp;

/// An API key about to be made; made by [`TestUser::api_key`].
///
/// ```
/// use better_auth_layer::testing::TestDeployment;
///
/// let issuer = TestDeployment::new();
/// let ada = issuer.user("ada@example.com").create();
/// let key = ada.api_key().prefix("app_").permission("files", "read").remaining(100).create();
///
/// let identity = issuer.identity(&key.credential());
/// assert!(identity.api_key().is_some_and(|key| key.allows("files", "read")));
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `create` is called"]
pub struct ApiKeyBuilder {
    deployment: Arc<Deployment>,
    user: TestUser,
    id: String,
    prefix: String,
    name: Option<String>,
    configuration: String,
    is_enabled: bool,
    expires_at: Option<Timestamp>,
    remaining: Option<i64>,
    permissions: BTreeMap<String, Vec<String>>,
}

impl ApiKeyBuilder {
    pub(super) fn new(deployment: Arc<Deployment>, user: TestUser) -> Self {
        Self {
            deployment,
            user,
            id: random::id(),
            prefix: String::new(),
            name: None,
            configuration: "default".to_owned(),
            is_enabled: true,
            expires_at: None,
            remaining: None,
            permissions: BTreeMap::new(),
        }
    }

    /// Sets the id. Default: a random one of Better Auth's form.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets what the key begins with. Default: nothing.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the name that its owner gives it. Default: none.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the configuration of the plugin that it belongs to (`configId`). Default: `default`, which is the one that a
    /// layer accepts unless it [names others](crate::api_key::ApiKeys::configuration).
    pub fn configuration(mut self, id: impl Into<String>) -> Self {
        self.configuration = id.into();
        self
    }

    /// Makes it switched off.
    pub fn disabled(mut self) -> Self {
        self.is_enabled = false;
        self
    }

    /// Sets when it ends, from now on. Default: never. Zero: it has ended.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_at = Some(self.deployment.now().saturating_add(lifetime));
        self
    }

    /// Sets how many uses are left. Default: no limit. The layer refuses a key without any and does not count them down.
    pub fn remaining(mut self, uses: i64) -> Self {
        self.remaining = Some(uses);
        self
    }

    /// Adds an action that the key allows for a resource. Default: it allows nothing in particular.
    pub fn permission(mut self, resource: impl Into<String>, action: impl Into<String>) -> Self {
        let actions = self.permissions.entry(resource.into()).or_default();
        actions.push(action.into());
        self
    }

    /// Makes the key.
    ///
    /// # Panics
    ///
    /// When the user was deleted.
    #[must_use]
    #[track_caller]
    pub fn create(self) -> TestApiKey {
        self.user.assert_exists();
        let text = format!("{}{}", self.prefix, random::api_key());
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
        let mut permissions = JsonObject::new();
        for (resource, actions) in &self.permissions {
            permissions.set(resource, actions);
        }
        let mut row = ApiKey::new(self.id, self.user.id(), ApiKeyHash::from_stored(hash))
            .with_config_id(self.configuration)
            .with_enabled(self.is_enabled)
            .with_permissions_json(&permissions.to_json());
        if let Some(name) = self.name {
            row = row.with_name(name);
        }
        if let Some(expires_at) = self.expires_at {
            row = row.with_expires_at(expires_at);
        }
        if let Some(remaining) = self.remaining {
            row = row.with_remaining(remaining);
        }
        TestApiKey::new(self.deployment, self.user, row, text)
    }
}

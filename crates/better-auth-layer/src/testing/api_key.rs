//! An API key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json::JsonObject;
use super::state::Deployment;
use super::{Credential, TestUser, random};
use crate::api_key::{ApiKey, ApiKeyHash};
use crate::clock::Timestamp;

/// An API key of a user. Clones are the same key. Created by [`TestUser::api_key`].
///
/// ```
/// use better_auth_layer::testing::TestDeployment;
///
/// let issuer = TestDeployment::new();
/// let key = issuer.user("ada@example.com").create().api_key().create();
///
/// let (name, _) = key.credential().header();
/// assert_eq!(name, "x-api-key");
/// ```
#[derive(Clone)]
pub struct TestApiKey {
    deployment: Arc<Deployment>,
    user: TestUser,
    row: Arc<ApiKey>,
    text: Arc<str>,
}

impl TestApiKey {
    pub(super) fn new(
        deployment: Arc<Deployment>,
        user: TestUser,
        row: ApiKey,
        text: String,
    ) -> Self {
        deployment.store.memory().insert_api_key(row.clone());
        Self {
            deployment,
            user,
            row: Arc::new(row),
            text: text.into(),
        }
    }

    /// The id of the key (not the key).
    #[must_use]
    pub fn id(&self) -> &str {
        self.row.id()
    }

    /// The owner of the key.
    #[must_use]
    pub fn user(&self) -> &TestUser {
        &self.user
    }

    /// The key as it was created, as the layer finds it.
    #[must_use]
    pub fn to_api_key(&self) -> ApiKey {
        ApiKey::clone(&self.row)
    }

    /// The key in the header `x-api-key`. For a layer with another header, send [its
    /// text](Credential::text).
    pub fn credential(&self) -> Credential {
        Credential::api_key(self.text.as_ref().to_owned())
    }

    /// Disables the key.
    pub fn disable(&self) {
        let row = self.to_api_key().with_enabled(false);
        self.deployment.store.memory().insert_api_key(row);
    }

    /// Deletes the key.
    pub fn delete(&self) {
        self.deployment.store.memory().remove_api_key(self.id());
    }
}

impl fmt::Debug for TestApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApiKey")
            .field("id", &self.id())
            .field("user_id", &self.user.id())
            .finish_non_exhaustive()
    }
}

/// Builder of an API key, created by [`TestUser::api_key`].
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

    /// Sets the id. Default: a random id in Better Auth's format.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the prefix of the key. Default: none.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the display name. Default: none.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the configuration of the plugin (`configId`). Default: `default`, which a layer accepts
    /// unless [another configuration](crate::api_key::ApiKeys::configuration) is set.
    pub fn configuration(mut self, id: impl Into<String>) -> Self {
        self.configuration = id.into();
        self
    }

    /// Disables the key.
    pub fn disabled(mut self) -> Self {
        self.is_enabled = false;
        self
    }

    /// Sets the lifetime of the key. Default: unlimited. With zero the key has expired.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_at = Some(self.deployment.now().saturating_add(lifetime));
        self
    }

    /// Sets the number of uses left. Default: unlimited. The layer rejects a key without uses left,
    /// and does not count uses.
    pub fn remaining(mut self, uses: i64) -> Self {
        self.remaining = Some(uses);
        self
    }

    /// Adds a permission: an action on a resource. Default: none.
    pub fn permission(mut self, resource: impl Into<String>, action: impl Into<String>) -> Self {
        let actions = self.permissions.entry(resource.into()).or_default();
        actions.push(action.into());
        self
    }

    /// Creates the key.
    ///
    /// # Panics
    ///
    /// If the user was deleted.
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

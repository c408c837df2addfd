//! An API key of a user's.

use std::fmt;
use std::sync::Arc;

use super::deployment::Deployment;
use super::{Credential, TestUser};
use crate::api_key::ApiKey;

/// An API key of a user's; clones are the same key. Made by [`TestUser::api_key`].
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

    /// The key's id (not the key).
    #[must_use]
    pub fn id(&self) -> &str {
        self.row.id()
    }

    /// Whose key it is.
    #[must_use]
    pub fn user(&self) -> &TestUser {
        &self.user
    }

    /// The key as it was made, the way the layer finds it.
    #[must_use]
    pub fn to_api_key(&self) -> ApiKey {
        ApiKey::clone(&self.row)
    }

    /// The key in the header `x-api-key`. For a layer that looks at another one, put [its text](Credential::text) there.
    pub fn credential(&self) -> Credential {
        Credential::api_key(self.text.as_ref().to_owned())
    }

    /// Switches the key off.
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

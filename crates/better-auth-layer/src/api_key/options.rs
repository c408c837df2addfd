//! Options for accepting API keys.

use http::HeaderName;

use super::{ApiKey, dedicated_header};
use crate::config_error::ConfigError;

/// Options for accepting API keys.
///
/// A key is looked up by its hash. The layer checks `enabled`, `expiresAt`, that `remaining` is not
/// used up, the plugin's configuration, and that the owner exists and is not banned. It does not write
/// to the table, so `remaining` is not counted down and the rate limit (by default ten uses a day in
/// Better Auth) is not enforced. Both are in the identity's [`ApiKey`](crate::ApiKey), and so are the
/// permissions, which the service has to check.
///
/// Keys of organizations (a configuration with `references: "organization"`) are rejected, because no
/// user has the organization's id. If ids are consecutive numbers, a user may have it: do not accept
/// such a configuration then.
///
/// ```
/// use better_auth_layer::api_key::ApiKeys;
///
/// let api_keys = ApiKeys::new().header("authorization-key")?.configuration("internal");
/// # let _ = api_keys;
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to a builder"]
pub struct ApiKeys {
    headers: Vec<HeaderName>,
    configurations: Vec<String>,
}

impl Default for ApiKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiKeys {
    /// Accepts keys of the plugin's default configuration in the header `x-api-key`.
    pub fn new() -> Self {
        Self {
            headers: Vec::new(),
            configurations: Vec::new(),
        }
    }

    /// Adds a header that carries keys, instead of `x-api-key` (`apiKeyHeaders`).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for an invalid name, and for `Authorization` and `Cookie`, which carry other
    /// credentials.
    pub fn header(mut self, name: &str) -> Result<Self, ConfigError> {
        let name = dedicated_header("api_keys", name)?;
        self.headers.push(name);
        Ok(self)
    }

    /// Adds a configuration of the plugin (`configId`) whose keys are accepted, instead of `default`.
    pub fn configuration(mut self, id: impl Into<String>) -> Self {
        self.configurations.push(id.into());
        self
    }

    pub(crate) fn headers(&self) -> Vec<HeaderName> {
        if self.headers.is_empty() {
            return vec![HeaderName::from_static("x-api-key")];
        }
        self.headers.clone()
    }

    pub(crate) fn configurations(&self) -> Vec<String> {
        if self.configurations.is_empty() {
            return vec![ApiKey::DEFAULT_CONFIGURATION.to_owned()];
        }
        self.configurations.clone()
    }
}

//! Settings for API keys.

use http::HeaderName;

use super::{ApiKey, dedicated_header};
use crate::config_error::ConfigError;

/// Which API keys are accepted, and where they are sent.
///
/// They are looked up by their hash. Checked are `enabled`, `expiresAt`, whether uses are left in `remaining`, the
/// plugin's configuration, and that the owner exists and is not banned. A service that only reads the table cannot
/// count: `remaining` is not counted down and the rate limit (ten uses a day by Better Auth's default) not enforced;
/// both stand in the identity's [`ApiKey`](crate::ApiKey), as do the permissions, which the service has to check.
///
/// Keys of organizations (a configuration with `references: "organization"`) belong to no user and are refused, because
/// no user has the organization's id. Where ids are numbers in sequence one may: do not accept such a configuration then.
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
    /// Keys of the plugin's default configuration in the header `x-api-key`.
    pub fn new() -> Self {
        Self {
            headers: Vec::new(),
            configurations: Vec::new(),
        }
    }

    /// Adds a header to look at, in place of `x-api-key` (`apiKeyHeaders`).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for what is no header name, and for `Authorization` and `Cookie`, which are for other credentials.
    pub fn header(mut self, name: &str) -> Result<Self, ConfigError> {
        let name = dedicated_header("api_keys", name)?;
        self.headers.push(name);
        Ok(self)
    }

    /// Adds a configuration of the plugin (`configId`) whose keys are accepted, in place of `default`.
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

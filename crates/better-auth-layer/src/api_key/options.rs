//! Options for API keys.

use http::HeaderName;

use super::{ApiKey, dedicated_header};
use crate::config_error::ConfigError;

/// Options for API keys: accepted headers and configurations.
///
/// A key is looked up by its hash. It is rejected if it is disabled or expired, if `remaining` is
/// zero, if its configuration is not accepted, or if its owner does not exist or is banned.
///
/// This crate only reads the database. It does not decrement `remaining` and does not enforce the
/// rate limit (ten requests per day by Better Auth's default). Both values, and the permissions that
/// the application must check, are available in [`ApiKey`](crate::ApiKey).
///
/// Keys of organizations (configurations with `references: "organization"`) do not belong to a user
/// and are rejected, because no user has the id of the organization. If ids are sequential numbers,
/// a user can have that id: do not accept such a configuration then.
///
/// ```
/// use better_auth_layer::api_key::ApiKeys;
///
/// let api_keys = ApiKeys::new().header("authorization-key").configuration("internal");
/// # let _ = api_keys;
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to a builder"]
pub struct ApiKeys {
    headers: Vec<Result<HeaderName, ConfigError>>,
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

    /// Accepts keys in this header (`apiKeyHeaders`) instead of `x-api-key`. Can be called several
    /// times. The builder of the layer rejects invalid names, and `Authorization` and `Cookie`, which
    /// contain other credentials.
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.headers
            .push(dedicated_header("api_keys", &name.into()));
        self
    }

    /// Accepts keys of this configuration of the plugin (`configId`) instead of `default`. Can be
    /// called several times.
    pub fn configuration(mut self, id: impl Into<String>) -> Self {
        self.configurations.push(id.into());
        self
    }

    pub(crate) fn headers(&self) -> Result<Vec<HeaderName>, ConfigError> {
        if self.headers.is_empty() {
            return Ok(vec![HeaderName::from_static("x-api-key")]);
        }
        self.headers.iter().cloned().collect()
    }

    pub(crate) fn configurations(&self) -> Vec<String> {
        if self.configurations.is_empty() {
            return vec![ApiKey::DEFAULT_CONFIGURATION.to_owned()];
        }
        self.configurations.clone()
    }
}

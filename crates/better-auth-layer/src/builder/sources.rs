//! The order in which the parts of a request are searched for credentials.

use super::BetterAuthLayerBuilder;
use crate::config_error::ConfigError;
use crate::credential::{CredentialSource, SourceKind};

#[derive(Default)]
pub(super) struct SourceOptions {
    prepended: Vec<CredentialSource>,
    /// `None`: the default sources.
    replaced: Option<Vec<CredentialSource>>,
}

impl SourceOptions {
    /// Returns the sources in the order of precedence. A source that can never match, and an
    /// accepted credential without a source, are errors.
    pub(super) fn resolve(
        &self,
        accepts_api_keys: bool,
        accepts_session_cookies: bool,
    ) -> Result<Vec<SourceKind>, ConfigError> {
        let has_defaults = self.replaced.is_none();
        let configured = self.replaced.iter().flatten();
        let configured = self.prepended.iter().chain(configured);
        let mut sources: Vec<SourceKind> = configured
            .map(|source| source.0.clone())
            .collect::<Result<_, _>>()?;
        if sources.is_empty() && !has_defaults {
            return Err(ConfigError::new(
                "credential_sources",
                "is empty, so every request would be rejected",
                "add a source, or leave the setting out for the default sources",
            ));
        }
        let has_api_keys = sources
            .iter()
            .any(|source| matches!(source, SourceKind::ApiKey));
        let searches_api_keys = has_api_keys || has_defaults && accepts_api_keys;
        if searches_api_keys != accepts_api_keys {
            return Err(ConfigError::conflict(
                "credential_sources",
                if accepts_api_keys {
                    "does not contain `api_key`, but `api_keys` is set"
                } else {
                    "contains `api_key`, but no `api_keys` are accepted"
                },
                "set `api_keys` and add `CredentialSource::api_key`, or neither",
            ));
        }
        let mut cookies = sources.iter();
        if cookies.any(|source| matches!(source, SourceKind::SessionCookie))
            && !accepts_session_cookies
        {
            return Err(ConfigError::conflict(
                "credential_sources",
                "contains `session_cookie`, but session cookies are not accepted",
                "set the secret, or remove the source",
            ));
        }
        if has_defaults {
            sources.extend([
                SourceKind::Bearer,
                SourceKind::ApiKey,
                SourceKind::SessionCookie,
            ]);
        }
        Ok(sources)
    }
}

impl BetterAuthLayerBuilder {
    /// Sets the sources of credentials, in the order of precedence. The first credential that is
    /// present decides, even if it is invalid.
    ///
    /// Default: `Authorization: Bearer`, the header of API keys and the session cookie, as far as
    /// these credentials are accepted. To add a source to the defaults, use
    /// [`prepend_credential_source`](Self::prepend_credential_source).
    pub fn credential_sources(
        mut self,
        sources: impl IntoIterator<Item = CredentialSource>,
    ) -> Self {
        self.sources.replaced = Some(sources.into_iter().collect());
        self
    }

    /// Adds a source that takes precedence over all others: a credential that the client sends
    /// explicitly must not be replaced by a cookie that the browser adds. Of several prepended
    /// sources, the one that was added first takes precedence.
    ///
    /// ```
    /// use better_auth_layer::{BetterAuthLayer, ConfigError, CredentialSource};
    /// use better_auth_layer::config::Env;
    ///
    /// # #[cfg(feature = "sqlite")]
    /// # async fn example() -> Result<(), ConfigError> {
    /// let layer = BetterAuthLayer::from_env(&Env::process())
    ///     .await?
    ///     .prepend_credential_source(CredentialSource::websocket_subprotocol("bearer."))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn prepend_credential_source(mut self, source: CredentialSource) -> Self {
        self.sources.prepended.push(source);
        self
    }
}

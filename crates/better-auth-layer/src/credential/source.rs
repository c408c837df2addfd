//! The sources of a credential in a request.

use std::fmt;
use std::sync::Arc;

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderName, request};

use super::cookies::percent_decoded;
use super::{BearerToken, InvalidReason};
use crate::api_key::dedicated_header;
use crate::config_error::ConfigError;

/// A part of the request that may contain a credential, for
/// [`credential_sources`](crate::BetterAuthLayerBuilder::credential_sources).
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, CredentialSource};
///
/// let builder = BetterAuthLayer::builder().credential_sources([
///     CredentialSource::bearer(),
///     CredentialSource::websocket_subprotocol("bearer."),
///     CredentialSource::session_cookie(),
/// ]);
/// # let _ = builder;
/// ```
#[derive(Clone)]
pub struct CredentialSource(pub(crate) Result<SourceKind, ConfigError>);

type FindToken = dyn Fn(&request::Parts) -> Option<String> + Send + Sync;

#[derive(Clone)]
pub(crate) enum SourceKind {
    Bearer,
    ApiKey,
    SessionCookie,
    Header(HeaderName),
    WebSocketProtocol(String),
    Query(String),
    Custom(Arc<FindToken>),
}

impl CredentialSource {
    /// `Authorization: Bearer …`
    #[must_use]
    pub fn bearer() -> Self {
        Self(Ok(SourceKind::Bearer))
    }

    /// The headers of [`api_keys`](crate::BetterAuthLayerBuilder::api_keys).
    #[must_use]
    pub fn api_key() -> Self {
        Self(Ok(SourceKind::ApiKey))
    }

    /// Better Auth's session cookie.
    #[must_use]
    pub fn session_cookie() -> Self {
        Self(Ok(SourceKind::SessionCookie))
    }

    /// A bearer token in another header, without a scheme in front: for deployments behind a proxy
    /// that uses `Authorization` itself.
    ///
    /// ```
    /// use better_auth_layer::{BetterAuthLayer, CredentialSource};
    ///
    /// let sources = [CredentialSource::header("x-auth-token")];
    /// let builder = BetterAuthLayer::builder().credential_sources(sources);
    /// # let _ = builder;
    /// ```
    ///
    /// The builder rejects names that are not header names, and `Authorization` and `Cookie`, which
    /// have separate sources.
    #[must_use]
    pub fn header(name: impl Into<String>) -> Self {
        let name = dedicated_header("credential_sources", &name.into());
        Self(name.map(SourceKind::Header))
    }

    /// A bearer token in one of the subprotocols that a WebSocket client offers, after a prefix.
    /// Browsers let a page set no other header of a WebSocket request. With the prefix `bearer.`:
    ///
    /// ```js
    /// new WebSocket(url, ["chat", `bearer.${encodeURIComponent(token)}`])
    /// ```
    ///
    /// The server must select the other subprotocol.
    #[must_use]
    pub fn websocket_subprotocol(prefix: impl Into<String>) -> Self {
        Self(named(prefix.into()).map(SourceKind::WebSocketProtocol))
    }

    /// A bearer token in the query of the URL.
    ///
    /// URLs are stored in the logs of servers and proxies, in the browser's history and in `Referer`,
    /// so RFC 6750 §2.3 and RFC 9700 §4.3.2 advise against this source. Use it only for clients that
    /// can neither set a header nor send a cookie, with tokens that expire within a minute.
    ///
    /// ```
    /// use better_auth_layer::{BetterAuthLayer, CredentialSource};
    ///
    /// // GET /feed.ics?token=…, for a calendar program
    /// let sources = [CredentialSource::bearer(), CredentialSource::dangerous_query_parameter("token")];
    /// let builder = BetterAuthLayer::builder().credential_sources(sources);
    /// # let _ = builder;
    /// ```
    #[must_use]
    pub fn dangerous_query_parameter(name: impl Into<String>) -> Self {
        Self(named(name.into()).map(SourceKind::Query))
    }

    /// A bearer token that a function extracts from the head of a request. `None` means that the
    /// request has no such token.
    ///
    /// Do not use it for cookies: browsers send them automatically, and only
    /// [`session_cookie`](Self::session_cookie) checks the origin of the page. Its name is
    /// [configurable](crate::BetterAuthLayerBuilder::session_cookie_name).
    ///
    /// ```
    /// use better_auth_layer::CredentialSource;
    ///
    /// // `Authorization: Token …`, which an older client sends
    /// let source = CredentialSource::custom(|head| {
    ///     let value = head.headers.get("authorization")?.to_str().ok()?;
    ///     Some(value.strip_prefix("Token ")?.to_owned())
    /// });
    /// # let _ = source;
    /// ```
    #[must_use]
    pub fn custom(
        find: impl Fn(&request::Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Ok(SourceKind::Custom(Arc::new(find))))
    }
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(source) => source.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("Bearer"),
            Self::ApiKey => f.write_str("ApiKey"),
            Self::SessionCookie => f.write_str("SessionCookie"),
            Self::Header(name) => f.debug_tuple("Header").field(name).finish(),
            Self::WebSocketProtocol(prefix) => {
                f.debug_tuple("WebSocketProtocol").field(prefix).finish()
            }
            Self::Query(name) => f.debug_tuple("Query").field(name).finish(),
            Self::Custom(_) => f.write_str("Custom(..)"),
        }
    }
}

/// Rejects an empty name, which matches everything or nothing.
fn named(name: String) -> Result<String, ConfigError> {
    if name.is_empty() {
        return Err(ConfigError::new(
            "credential_sources",
            "contains a source with an empty name",
            "write the prefix of the subprotocol, or the name of the parameter",
        ));
    }
    Ok(name)
}

/// The token in a header. Two headers are an error, as for `Authorization`.
pub(super) fn from_header<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<BearerToken<'a>>, InvalidReason> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(InvalidReason::SeveralTokens);
    }
    let text = value.to_str().map_err(|_| InvalidReason::TokenMalformed)?;
    BearerToken::from_text(text.into()).map(Some)
}

/// The token among the offered subprotocols (RFC 6455 §4.1), percent-encoded or not.
pub(super) fn from_websocket_protocol<'a>(
    headers: &'a HeaderMap,
    prefix: &str,
) -> Result<Option<BearerToken<'a>>, InvalidReason> {
    let offered = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .into_iter()
        // Ignores other subprotocols that are not ASCII.
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|protocol| protocol.trim_matches([' ', '\t']).strip_prefix(prefix));
    single(offered)
}

/// The token in the query, percent-encoded or not.
pub(super) fn from_query<'a>(
    parts: &'a request::Parts,
    name: &str,
) -> Result<Option<BearerToken<'a>>, InvalidReason> {
    let query = parts.uri.query().unwrap_or_default();
    let values = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(other, _)| percent_decoded(other) == name)
        .map(|(_, value)| value);
    single(values)
}

fn single<'a>(
    mut texts: impl Iterator<Item = &'a str>,
) -> Result<Option<BearerToken<'a>>, InvalidReason> {
    let Some(text) = texts.next() else {
        return Ok(None);
    };
    if texts.next().is_some() {
        return Err(InvalidReason::SeveralTokens);
    }
    BearerToken::from_text(text.into()).map(Some)
}

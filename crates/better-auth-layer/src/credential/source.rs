//! Where in a request a credential may stand.

use std::fmt;
use std::sync::Arc;

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderName, request};

use super::cookies::percent_decoded;
use super::{BearerToken, InvalidReason};
use crate::api_key::dedicated_header;
use crate::config_error::ConfigError;

/// A place to look for a credential in, for
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
pub struct CredentialSource(pub(crate) Place);

type FindToken = dyn Fn(&request::Parts) -> Option<String> + Send + Sync;

#[derive(Clone)]
pub(crate) enum Place {
    Bearer,
    ApiKey,
    SessionCookie,
    Header(HeaderName),
    WebSocketProtocol(String),
    Query(String),
    Custom(Arc<FindToken>),
}

impl Place {
    /// Whether the name that it needs is empty: everything would have it, or nothing.
    pub(crate) fn is_nameless(&self) -> bool {
        matches!(self, Self::WebSocketProtocol(name) | Self::Query(name) if name.is_empty())
    }
}

impl CredentialSource {
    /// `Authorization: Bearer …`
    #[must_use]
    pub fn bearer() -> Self {
        Self(Place::Bearer)
    }

    /// The headers of [`api_keys`](crate::BetterAuthLayerBuilder::api_keys).
    #[must_use]
    pub fn api_key() -> Self {
        Self(Place::ApiKey)
    }

    /// Better Auth's session cookie.
    #[must_use]
    pub fn session_cookie() -> Self {
        Self(Place::SessionCookie)
    }

    /// A bearer token in a header of its own, without a scheme in front: behind a proxy that needs `Authorization` for
    /// itself.
    ///
    /// ```
    /// use better_auth_layer::{BetterAuthLayer, CredentialSource};
    ///
    /// let builder = BetterAuthLayer::builder().credential_sources([CredentialSource::header("x-auth-token")?]);
    /// # let _ = builder;
    /// # Ok::<(), better_auth_layer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for what is no header name, and for `Authorization` and `Cookie`, which have sources of their own.
    pub fn header(name: &str) -> Result<Self, ConfigError> {
        dedicated_header("credential_sources", name).map(|name| Self(Place::Header(name)))
    }

    /// A bearer token in one of the subprotocols that a WebSocket client offers, behind a prefix: browsers let a page set
    /// no other header there. With the prefix `bearer.`:
    ///
    /// ```js
    /// new WebSocket(url, ["chat", `bearer.${encodeURIComponent(token)}`])
    /// ```
    ///
    /// Answer with the other subprotocol, never with this one.
    #[must_use]
    pub fn websocket_subprotocol(prefix: impl Into<String>) -> Self {
        Self(Place::WebSocketProtocol(prefix.into()))
    }

    /// A bearer token in the query of the address.
    ///
    /// Addresses end up in the logs of every server and proxy on the way, in the browser's history and in `Referer`; so
    /// RFC 6750 §2.3 and RFC 9700 §4.3.2 advise against it. For what can neither set a header nor send a cookie, with
    /// tokens that live for a minute.
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
        Self(Place::Query(name.into()))
    }

    /// A bearer token from wherever a function finds one in the head of a request. `None`: it is not there.
    ///
    /// Not for cookies: what a browser sends by itself needs the check of the page's origin, which only
    /// [`session_cookie`](Self::session_cookie) gets. That one's name can be
    /// [set](crate::BetterAuthLayerBuilder::session_cookie_name).
    ///
    /// ```
    /// use better_auth_layer::CredentialSource;
    ///
    /// // `Authorization: Token …`, as an older client sends it
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
        Self(Place::Custom(Arc::new(find)))
    }

    /// Where credentials are looked for unless somebody says otherwise.
    pub(crate) fn defaults() -> Vec<Self> {
        vec![Self::bearer(), Self::api_key(), Self::session_cookie()]
    }
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Bearer => f.write_str("Bearer"),
            Place::ApiKey => f.write_str("ApiKey"),
            Place::SessionCookie => f.write_str("SessionCookie"),
            Place::Header(name) => f.debug_tuple("Header").field(name).finish(),
            Place::WebSocketProtocol(prefix) => {
                f.debug_tuple("WebSocketProtocol").field(prefix).finish()
            }
            Place::Query(name) => f.debug_tuple("Query").field(name).finish(),
            Place::Custom(_) => f.write_str("Custom(..)"),
        }
    }
}

/// The token in a header of its own. Two of them are refused, as two of `Authorization` are.
pub(super) fn in_header<'a>(
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

/// The token among the subprotocols that are offered (RFC 6455 §4.1), percent-encoded or not.
pub(super) fn in_websocket_protocol<'a>(
    headers: &'a HeaderMap,
    prefix: &str,
) -> Result<Option<BearerToken<'a>>, InvalidReason> {
    let offered = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .into_iter()
        // Another one that is not ASCII is none of our business.
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|protocol| protocol.trim_matches([' ', '\t']).strip_prefix(prefix));
    only(offered)
}

/// The token in the query, percent-encoded or not.
pub(super) fn in_query<'a>(
    parts: &'a request::Parts,
    name: &str,
) -> Result<Option<BearerToken<'a>>, InvalidReason> {
    let query = parts.uri.query().unwrap_or_default();
    let values = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(other, _)| percent_decoded(other) == name)
        .map(|(_, value)| value);
    only(values)
}

fn only<'a>(
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

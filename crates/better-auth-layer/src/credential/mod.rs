//! Extracts the credential of a request.
//!
//! The kind of a credential follows from its source and its form (for a bearer token, the number of
//! dots), so that no text is ever tried as several kinds.

mod api_key_header;
mod bearer_token;
mod cookies;
mod invalid_reason;
mod source;

use std::borrow::Cow;

use http::{HeaderName, request};

pub(crate) use self::api_key_header::ApiKeyText;
pub(crate) use self::bearer_token::{BearerForm, BearerToken};
use self::cookies::Cookies;
pub(crate) use self::cookies::{CookieNames, percent_decoded};
pub(crate) use self::invalid_reason::InvalidReason;
pub use self::source::CredentialSource;
pub(crate) use self::source::SourceKind;

/// The one credential of a request.
pub(crate) enum Credential<'a> {
    /// `Authorization: Bearer …`, or the same token from another source.
    Bearer(BearerToken<'a>),
    ApiKey(ApiKeyText<'a>),
    SessionCookie(SessionCookie<'a>),
}

/// The session cookie, and the cookie cache if the layer accepts it.
pub(crate) struct SessionCookie<'a> {
    /// Not decoded.
    pub(crate) value: Cow<'a, str>,
    pub(crate) cache: Option<Cow<'a, str>>,
}

impl Credential<'_> {
    /// The name in spans and metrics until the credential is verified.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "bearer",
            Self::ApiKey(_) => "api_key",
            Self::SessionCookie(_) => "session_cookie",
        }
    }

    pub(crate) fn into_owned(self) -> Credential<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Bearer(token) => Credential::Bearer(token.into_owned()),
            Self::ApiKey(key) => Credential::ApiKey(key.into_owned()),
            Self::SessionCookie(cookie) => Credential::SessionCookie(SessionCookie {
                value: owned(cookie.value),
                cache: cookie.cache.map(owned),
            }),
        }
    }
}

/// The sources from which credentials are extracted, in order of precedence.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) sources: Vec<SourceKind>,
    pub(crate) api_key_headers: Vec<HeaderName>,
    pub(crate) session_cookie: Option<CookieNames>,
    pub(crate) cookie_cache: Option<CookieNames>,
}

impl Sources {
    /// Extracts the credential from the head of a request. `None` if no source has one.
    ///
    /// The first credential decides, even if it is invalid: a credential that the client sends
    /// explicitly must not be replaced by a cookie that the browser adds to every request. A
    /// malformed credential is an error, so that it is never mistaken for an anonymous request.
    pub(crate) fn extract<'a>(
        &self,
        parts: &'a request::Parts,
    ) -> Result<Option<Credential<'a>>, InvalidReason> {
        for source in &self.sources {
            let found = self.extract_from(source, parts)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn extract_from<'a>(
        &self,
        source: &SourceKind,
        parts: &'a request::Parts,
    ) -> Result<Option<Credential<'a>>, InvalidReason> {
        let headers = &parts.headers;
        let token = match source {
            SourceKind::ApiKey => {
                let key = ApiKeyText::extract(headers, &self.api_key_headers)?;
                return Ok(key.map(Credential::ApiKey));
            }
            SourceKind::SessionCookie => return self.session_cookie(Cookies::new(headers)),
            SourceKind::Bearer => BearerToken::extract(headers)?,
            SourceKind::Header(name) => source::from_header(headers, name)?,
            SourceKind::WebSocketProtocol(prefix) => {
                source::from_websocket_protocol(headers, prefix)?
            }
            SourceKind::Query(name) => source::from_query(parts, name)?,
            SourceKind::Custom(find) => find(parts)
                .map(|text| BearerToken::from_text(text.into()))
                .transpose()?,
        };
        Ok(token.map(Credential::Bearer))
    }

    fn session_cookie<'a>(
        &self,
        cookies: Cookies<'a>,
    ) -> Result<Option<Credential<'a>>, InvalidReason> {
        let Some(names) = &self.session_cookie else {
            return Ok(None);
        };
        let Some(value) = names.find(cookies)? else {
            return Ok(None);
        };
        let cache = self.cookie_cache.as_ref();
        Ok(Some(Credential::SessionCookie(SessionCookie {
            value: value.into(),
            cache: cache.and_then(|names| names.find_chunked(cookies)),
        })))
    }
}

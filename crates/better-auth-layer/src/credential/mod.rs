//! What a request brings to prove who sent it.

mod bearer_token;
mod cookies;
mod invalid_reason;
mod session_cookie;
mod source;

use std::borrow::Cow;

use http::{HeaderName, request};

pub(crate) use self::bearer_token::{BearerForm, BearerToken};
pub(crate) use self::cookies::Cookies;
pub(crate) use self::invalid_reason::InvalidReason;
pub(crate) use self::session_cookie::SessionCookie;
pub use self::source::CredentialSource;
pub(crate) use self::source::Place;
use crate::api_key::{ApiKeyHeaderError, ApiKeyText};

/// The one credential of a request.
pub(crate) enum Credential<'a> {
    /// `Authorization: Bearer …`, or the same token in another place.
    Bearer(BearerToken<'a>),
    /// An API key in a header of its own.
    ApiKey(ApiKeyText<'a>),
    /// The session cookie's value.
    SessionCookie(Cow<'a, str>),
}

impl Credential<'_> {
    /// The name used in spans and metrics, until more is known.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "bearer",
            Self::ApiKey(_) => "api_key",
            Self::SessionCookie(_) => "session_cookie",
        }
    }
}

/// Where credentials are looked for, in this order.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) places: Vec<CredentialSource>,
    pub(crate) api_key_headers: Vec<HeaderName>,
    pub(crate) session_cookie: Option<SessionCookie>,
}

impl Sources {
    /// Finds the credential in a request's head. `Ok(None)`: there is none that would be ours.
    ///
    /// The first one that is there is the one that counts, and its failure is final: what a client sends on purpose
    /// must not be outvoted by the cookie that its browser adds to everything. A credential that cannot be one by its
    /// outer form is an error, not an absence, so that it can never be taken for an anonymous request.
    pub(crate) fn extract<'a>(
        &self,
        parts: &'a request::Parts,
    ) -> Result<Option<Credential<'a>>, InvalidReason> {
        for place in &self.places {
            let found = self.look(&place.0, parts)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn look<'a>(
        &self,
        place: &Place,
        parts: &'a request::Parts,
    ) -> Result<Option<Credential<'a>>, InvalidReason> {
        let headers = &parts.headers;
        let token = match place {
            Place::ApiKey => {
                let key = ApiKeyText::extract(headers, &self.api_key_headers)?;
                return Ok(key.map(Credential::ApiKey));
            }
            Place::SessionCookie => {
                let Some(cookie) = &self.session_cookie else {
                    return Ok(None);
                };
                let value = cookie.find(Cookies::of(headers))?;
                return Ok(value.map(Credential::SessionCookie));
            }
            Place::Bearer => BearerToken::extract(headers)?,
            Place::Header(name) => source::in_header(headers, name)?,
            Place::WebSocketProtocol(prefix) => source::in_websocket_protocol(headers, prefix)?,
            Place::Query(name) => source::in_query(parts, name)?,
            Place::Custom(find) => find(parts)
                .map(|text| BearerToken::from_text(text.into()))
                .transpose()?,
        };
        Ok(token.map(Credential::Bearer))
    }
}

impl From<ApiKeyHeaderError> for InvalidReason {
    fn from(error: ApiKeyHeaderError) -> Self {
        match error {
            ApiKeyHeaderError::Several => Self::SeveralApiKeys,
            ApiKeyHeaderError::Malformed => Self::ApiKeyMalformed,
        }
    }
}

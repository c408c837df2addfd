//! What a request brings to prove who sent it.

mod api_key_header;
mod bearer_token;
mod cookies;
mod invalid_reason;
mod session_cookie;

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

pub(crate) use self::api_key_header::ApiKeyText;
pub(crate) use self::bearer_token::{BearerForm, BearerToken};
pub(crate) use self::cookies::Cookies;
pub(crate) use self::invalid_reason::InvalidReason;
pub(crate) use self::session_cookie::SessionCookie;

/// The one credential of a request.
pub(crate) enum Credential<'a> {
    /// `Authorization: Bearer …`
    Bearer(BearerToken<'a>),
    /// An API key in a header of its own.
    ApiKey(ApiKeyText<'a>),
    /// The session cookie's value.
    SessionCookie(Cow<'a, str>),
}

/// Where credentials are looked for, beside `Authorization`.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) api_key_headers: Vec<HeaderName>,
    pub(crate) session_cookie: Option<SessionCookie>,
}

impl Sources {
    /// Finds the credential in a request's headers. `Ok(None)`: there is none that would be ours.
    ///
    /// The first kind that is there is the one that counts, and its failure is final: what a client sends on purpose
    /// must not be outvoted by the cookie that its browser adds to everything. A credential that cannot be one by its
    /// outer form is an error, not an absence, so that it can never be taken for an anonymous request.
    pub(crate) fn extract<'a>(
        &self,
        headers: &'a HeaderMap,
    ) -> Result<Option<Credential<'a>>, InvalidReason> {
        if let Some(token) = BearerToken::extract(headers)? {
            return Ok(Some(Credential::Bearer(token)));
        }
        if let Some(key) = ApiKeyText::extract(headers, &self.api_key_headers)? {
            return Ok(Some(Credential::ApiKey(key)));
        }
        let Some(cookie) = &self.session_cookie else {
            return Ok(None);
        };
        let value = cookie.find(Cookies::of(headers))?;
        Ok(value.map(Credential::SessionCookie))
    }
}

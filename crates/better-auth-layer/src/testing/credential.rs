//! A credential as sent in a request.

use std::fmt;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue, request};

use super::panic::must;

/// A credential of a client: a header with its value.
///
/// ```
/// use better_auth_layer::testing::TestDeployment;
/// use http::Request;
///
/// let issuer = TestDeployment::new();
/// let session = issuer.user("ada@example.com").create().sign_in();
///
/// let request = session.cookie().apply(Request::get("/me")).body(())?;
/// assert!(request.headers().contains_key("cookie"));
///
/// // Where a client takes headers one by one:
/// let (name, value) = session.signed_token().header();
/// let request = Request::get("/me").header(name, value).body(())?;
/// assert!(request.headers().contains_key("authorization"));
/// # Ok::<(), http::Error>(())
/// ```
///
/// `Debug` shows only the name of the header.
#[derive(Clone)]
#[must_use = "a credential does nothing until it is sent"]
pub struct Credential {
    name: HeaderName,
    text: String,
    /// The offset from which a changed character invalidates the credential.
    weak_spot: usize,
}

impl Credential {
    pub(super) fn bearer(token: String) -> Self {
        let weak_spot = after_last_dot(&token);
        Self {
            name: AUTHORIZATION,
            text: token,
            weak_spot,
        }
    }

    pub(super) fn api_key(key: String) -> Self {
        Self {
            name: HeaderName::from_static("x-api-key"),
            text: key,
            weak_spot: 0,
        }
    }

    pub(super) fn session_cookie(pair: String) -> Self {
        let weak_spot = after_last_dot(&pair);
        Self {
            name: COOKIE,
            text: pair,
            weak_spot,
        }
    }

    /// Adds the cookie cache, which [`tampered`](Self::tampered) then changes.
    pub(super) fn with_cache(self, pairs: &[(String, String)]) -> Self {
        let mut text = self.text;
        let mut weak_spot = self.weak_spot;
        for (index, (name, value)) in pairs.iter().enumerate() {
            text = format!("{text}; {name}=");
            if index == 0 {
                weak_spot = text.len() + value.len() / 2;
            }
            text.push_str(value);
        }
        Self {
            text,
            weak_spot,
            ..self
        }
    }

    /// The token, the key or the cookies: the header's value, without `Bearer`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The header with the credential. Its value is marked as sensitive.
    #[must_use]
    pub fn header(&self) -> (HeaderName, HeaderValue) {
        let value = if self.name == AUTHORIZATION {
            HeaderValue::try_from(format!("Bearer {}", self.text))
        } else {
            HeaderValue::try_from(&*self.text)
        };
        let mut value = must("the credential fits no header", value);
        value.set_sensitive(true);
        (self.name.clone(), value)
    }

    /// Adds the credential to a request. Other cookies of the request are kept.
    pub fn apply(&self, request: request::Builder) -> request::Builder {
        let (name, value) = self.header();
        request.header(name, value)
    }

    /// The credential with one changed character, so that its signature is invalid. An API key or a
    /// raw session token becomes a different one.
    ///
    /// With a cookie cache, the cache is changed. This is never rejected: the layer uses the store
    /// instead.
    ///
    /// ```
    /// use better_auth_layer::testing::TestDeployment;
    ///
    /// let issuer = TestDeployment::new();
    /// let session = issuer.user("ada@example.com").create().sign_in();
    /// assert_ne!(session.cookie().tampered().text(), session.cookie().text());
    /// ```
    pub fn tampered(self) -> Self {
        let mut is_done = false;
        let text = self.text.char_indices().map(|(index, c)| {
            if is_done || index < self.weak_spot || !c.is_ascii_alphanumeric() {
                return c;
            }
            is_done = true;
            if c == 'A' { 'B' } else { 'A' }
        });
        Self {
            text: text.collect(),
            ..self
        }
    }
}

fn after_last_dot(text: &str) -> usize {
    text.rfind('.').map_or(0, |index| index + 1)
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}: ..)", self.name)
    }
}

//! Which cookie holds the session.

use std::borrow::Cow;

use super::{Cookies, InvalidReason};

/// Browsers accept a cookie of this name over TLS only, so nobody on the network can plant one (RFC 6265bis §4.1.3.1).
const SECURE_PREFIX: &str = "__Secure-";

/// The names under which the session cookie is accepted, the better one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionCookie {
    names: Vec<String>,
}

impl SessionCookie {
    /// `base`: the name without the prefix. `secure`: whether Better Auth prefixes it; `None` if that is not known.
    pub(crate) fn new(base: &str, secure: Option<bool>) -> Self {
        let prefixed = format!("{SECURE_PREFIX}{base}");
        let plain = base.to_owned();
        Self {
            names: match secure {
                Some(true) => vec![prefixed],
                Some(false) => vec![plain],
                None => vec![prefixed, plain],
            },
        }
    }

    /// The cookie's value: of the first name under which there is one.
    pub(crate) fn find<'a>(
        &self,
        cookies: Cookies<'a>,
    ) -> Result<Option<Cow<'a, str>>, InvalidReason> {
        for name in &self.names {
            let value = cookies.get(name)?;
            if value.is_some() {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// The same for a cookie that may come in chunks.
    pub(crate) fn find_chunked<'a>(&self, cookies: Cookies<'a>) -> Option<Cow<'a, str>> {
        self.names.iter().find_map(|name| cookies.get_chunked(name))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::COOKIE;

    use super::*;

    fn find(secure: Option<bool>, header: &str) -> Option<String> {
        let headers: HeaderMap = [(COOKIE, header.parse().unwrap())].into_iter().collect();
        let cookie = SessionCookie::new("app.session_token", secure);
        let value = cookie.find(Cookies::of(&headers)).unwrap();
        value.map(Cow::into_owned)
    }

    #[test]
    fn behind_tls_a_cookie_without_the_prefix_is_none() {
        let (plain, prefixed) = ("app.session_token=p", "__Secure-app.session_token=s");
        assert_eq!(find(Some(true), plain), None);
        assert_eq!(find(Some(true), prefixed).as_deref(), Some("s"));
        assert_eq!(find(Some(false), plain).as_deref(), Some("p"));
        assert_eq!(find(Some(false), prefixed), None);
    }

    #[test]
    fn where_nobody_knows_the_prefixed_one_wins() {
        let both = "app.session_token=p; __Secure-app.session_token=s";
        assert_eq!(find(None, both).as_deref(), Some("s"));
        assert_eq!(find(None, "app.session_token=p").as_deref(), Some("p"));
    }
}

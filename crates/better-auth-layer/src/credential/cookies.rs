//! Reads cookies in the same way as Better Auth's server.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::COOKIE;
use memchr::memchr;
use percent_encoding::percent_decode;

use super::InvalidReason;

/// The limit of Better Auth's own chunked cookies (upstream `cookies/session-store.ts`).
const MAX_CHUNKS: usize = 100;

/// More than a browser stores for a site.
const MAX_CHUNKED_LENGTH: usize = 64 * 1024;

/// Browsers accept a cookie with this prefix over TLS only, so an attacker on the network cannot set
/// one (RFC 6265bis §4.1.3.1).
const SECURE_PREFIX: &str = "__Secure-";

/// The accepted names of a cookie, in order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieNames(Vec<String>);

impl CookieNames {
    /// `base` is the name without prefix. `is_secure` is whether Better Auth adds the prefix; `None`
    /// accepts both names.
    pub(crate) fn new(base: &str, is_secure: Option<bool>) -> Self {
        let prefixed = format!("{SECURE_PREFIX}{base}");
        let plain = base.to_owned();
        Self(match is_secure {
            Some(true) => vec![prefixed],
            Some(false) => vec![plain],
            None => vec![prefixed, plain],
        })
    }

    /// The value of the first name that is present, not decoded.
    pub(super) fn find<'a>(&self, cookies: Cookies<'a>) -> Result<Option<&'a str>, InvalidReason> {
        for name in &self.0 {
            let value = cookies.get(name)?;
            if value.is_some() {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// As [`find`](Self::find), for a cookie that may be split into chunks. The value is decoded.
    pub(super) fn find_chunked<'a>(&self, cookies: Cookies<'a>) -> Option<Cow<'a, str>> {
        self.0.iter().find_map(|name| cookies.get_chunked(name))
    }
}

/// The cookies of all `Cookie` headers, of which HTTP/2 may send several (RFC 9113 §8.2.3).
///
/// Names are compared byte by byte, and only spaces and tabs are trimmed. Browsers accept cookies
/// whose names *look* like a prefixed name but start with other whitespace; those names differ.
#[derive(Clone, Copy)]
pub(super) struct Cookies<'a> {
    headers: &'a HeaderMap,
}

impl<'a> Cookies<'a> {
    pub(super) fn new(headers: &'a HeaderMap) -> Self {
        Self { headers }
    }

    /// The value of a cookie, not decoded; `None` if the cookie is missing or empty.
    ///
    /// A second cookie with the same name may have been set by an attacker from another path or a
    /// sibling domain, and the header does not show which is which. So two different values are an
    /// error.
    fn get(self, name: &str) -> Result<Option<&'a str>, InvalidReason> {
        let mut found: Option<&[u8]> = None;
        for (_, value) in self.pairs().filter(|(other, _)| *other == name.as_bytes()) {
            if found.is_some_and(|found| found != value) {
                return Err(InvalidReason::SeveralCookies);
            }
            found = Some(value);
        }
        let value = found.filter(|value| !value.is_empty());
        let text = value.map(std::str::from_utf8).transpose();
        text.map_err(|_| InvalidReason::CookieMalformed)
    }

    /// The decoded value of a cookie that may be split into chunks: `name`, or else `name.0`,
    /// `name.1` … joined.
    ///
    /// `None` also if chunks are missing, duplicate, or more than Better Auth writes.
    fn get_chunked(self, name: &str) -> Option<Cow<'a, str>> {
        match self.get(name) {
            Ok(None) => {}
            Ok(whole) => return whole.map(percent_decoded),
            Err(_) => return None,
        }
        let mut chunks: Vec<Option<&[u8]>> = Vec::new();
        for (other, value) in self.pairs() {
            let Some(index) = chunk_index(other, name) else {
                continue;
            };
            if index >= MAX_CHUNKS {
                return None;
            }
            if chunks.len() <= index {
                chunks.resize(index + 1, None);
            }
            let chunk = chunks.get_mut(index)?;
            if chunk.is_some_and(|chunk| chunk != value) {
                return None;
            }
            *chunk = Some(value);
        }
        let mut joined = String::new();
        for chunk in &chunks {
            let text = std::str::from_utf8((*chunk)?).ok()?;
            joined.push_str(&percent_decoded(text));
            if joined.len() > MAX_CHUNKED_LENGTH {
                return None;
            }
        }
        Some(joined)
            .filter(|joined| !joined.is_empty())
            .map(Cow::Owned)
    }

    fn pairs(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.headers
            .get_all(COOKIE)
            .into_iter()
            .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| {
                let equals = pair.iter().position(|byte| *byte == b'=')?;
                let (name, value) = pair.split_at_checked(equals)?;
                let value = unquoted(trimmed(value.strip_prefix(b"=")?));
                Some((trimmed(name), value))
            })
    }
}

/// Trims spaces and tabs, but no other whitespace.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// Decodes once, as JavaScript's `decodeURIComponent`; a text with invalid escapes is returned as it
/// is.
pub(crate) fn percent_decoded(text: &str) -> Cow<'_, str> {
    if memchr(b'%', text.as_bytes()).is_none() || !has_only_valid_escapes(text) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend(percent_decode(text.as_bytes()));
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn has_only_valid_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut digit = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        digit() && digit()
    })
}

/// The `n` of `name.n`, in the canonical form that Better Auth writes.
fn chunk_index(cookie: &[u8], name: &str) -> Option<usize> {
    let digits = cookie.strip_prefix(name.as_bytes())?.strip_prefix(b".")?;
    let is_canonical = matches!(digits, [b'0'] | [b'1'..=b'9', ..]);
    let index = std::str::from_utf8(digits).ok()?.parse().ok()?;
    is_canonical.then_some(index)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    fn get(header: &str) -> Result<Option<String>, InvalidReason> {
        let headers = headers(&[header.as_bytes()]);
        let value = Cookies::new(&headers).get("s")?;
        Ok(value.map(|value| percent_decoded(value).into_owned()))
    }

    fn chunked(header: &str) -> Option<String> {
        let headers = headers(&[header.as_bytes()]);
        let value = Cookies::new(&headers).get_chunked("s");
        value.map(Cow::into_owned)
    }

    #[test]
    fn value_is_trimmed_and_decoded_once() {
        for (header, value) in [
            ("s=a", "a"),
            ("x=1; s=a;y=2", "a"),
            ("x; s = \t\"a\" ", "a"),
            ("s=a%2Fb%3D", "a/b="),
            ("s=a+b", "a+b"),
            ("s=a%252Fb", "a%2Fb"),
            ("s=a=b=", "a=b="),
            ("s=a%2", "a%2"),
            ("s=%41%zz", "%41%zz"),
            ("s=%41%4z", "%41%4z"),
            ("s=%41%z4", "%41%z4"),
            ("s=a%FF", "a%FF"),
            ("s=\"a", "\"a"),
        ] {
            assert_eq!(get(header), Ok(Some(value.to_owned())), "{header}");
        }
    }

    #[test]
    fn other_names_do_not_match() {
        for header in [
            "",
            "s",
            "s=",
            "S=a",
            "xs=a",
            "s_multi=a",
            "$s=a",
            "s.0=a",
            "x=\"; s2=a",
            "\u{a0}s=a",
            "\u{2003}s=a",
            "s\u{a0}=a",
        ] {
            assert_eq!(get(header), Ok(None), "{header}");
        }
    }

    #[test]
    fn different_duplicates_are_rejected() {
        assert_eq!(get("s=a; s=b"), Err(InvalidReason::SeveralCookies));
        assert_eq!(get("s=a; s="), Err(InvalidReason::SeveralCookies));
        assert_eq!(get("s=a; s=a"), Ok(Some("a".to_owned())));
        let across = headers(&[b"s=a", b"x=1; s=b"]);
        assert_eq!(
            Cookies::new(&across).get("s"),
            Err(InvalidReason::SeveralCookies)
        );
    }

    #[test]
    fn several_headers_are_read() {
        let across = headers(&[b"x=\xff\xfe", b"s=a"]);
        assert_eq!(Cookies::new(&across).get("s"), Ok(Some("a")));
        let broken = headers(&[b"s=\xff"]);
        assert_eq!(
            Cookies::new(&broken).get("s"),
            Err(InvalidReason::CookieMalformed)
        );
    }

    #[test]
    fn chunks_are_joined_in_order() {
        let in_order = (0..12).map(|n| format!("s.{n}={n},"));
        let all: String = in_order.collect::<Vec<_>>().join("; ");
        assert_eq!(chunked(&all).unwrap(), "0,1,2,3,4,5,6,7,8,9,10,11,");
        assert_eq!(chunked("s.1=b; s.0=a").as_deref(), Some("ab"));
        assert_eq!(chunked("s=whole; s.0=a").as_deref(), Some("whole"));
        assert_eq!(chunked("s=; s.0=a").as_deref(), Some("a"));
    }

    #[test]
    fn chunk_count_and_length_are_limited() {
        let of_length = |length: usize| chunked(&format!("s.0=a; s.1={}", "a".repeat(length - 1)));
        assert_eq!(of_length(65_536).map(|value| value.len()), Some(65_536));
        assert_eq!(of_length(65_537), None);
        let of_number = |chunks: usize| {
            let all: Vec<_> = (0..chunks).map(|n| format!("s.{n}=a")).collect();
            chunked(&all.join("; "))
        };
        assert_eq!(of_number(100).map(|value| value.len()), Some(100));
        assert_eq!(of_number(101), None);
    }

    #[test]
    fn malformed_chunks_are_ignored() {
        for header in [
            "s.1=b",
            "s.0=a; s.2=c",
            "s.00=a",
            "s.+0=a",
            "s.0x=a",
            "s.100=a",
            "s.0=a; s.0=b",
            "s=a; s=b",
        ] {
            assert_eq!(chunked(header), None, "{header}");
        }
    }

    fn find(is_secure: Option<bool>, header: &str) -> Option<String> {
        let headers = headers(&[header.as_bytes()]);
        let names = CookieNames::new("app.session_token", is_secure);
        let value = names.find(Cookies::new(&headers)).unwrap();
        value.map(str::to_owned)
    }

    #[test]
    fn secure_deployment_requires_the_prefix() {
        let (plain, prefixed) = ("app.session_token=p", "__Secure-app.session_token=s");
        assert_eq!(find(Some(true), plain), None);
        assert_eq!(find(Some(true), prefixed).as_deref(), Some("s"));
        assert_eq!(find(Some(false), plain).as_deref(), Some("p"));
        assert_eq!(find(Some(false), prefixed), None);
    }

    #[test]
    fn prefixed_cookie_is_preferred() {
        let both = "app.session_token=p; __Secure-app.session_token=s";
        assert_eq!(find(None, both).as_deref(), Some("s"));
        assert_eq!(find(None, "app.session_token=p").as_deref(), Some("p"));
    }
}

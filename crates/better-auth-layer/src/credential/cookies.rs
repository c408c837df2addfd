//! The cookies of a request, read the way Better Auth's server reads them.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::COOKIE;
use memchr::memchr;
use percent_encoding::percent_decode;

use super::InvalidReason;

/// Better Auth itself keeps a cache within a hundred chunks (upstream `cookies/session-store.ts`).
const MOST_CHUNKS: usize = 100;

/// More than a browser keeps for a site.
const MAXIMUM_CHUNKED_LENGTH: usize = 64 * 1024;

/// The cookies of all `Cookie` headers: HTTP/2 may send them one by one (RFC 9113 §8.2.3).
///
/// Names are compared byte by byte; around names and values only blanks and tabs are dropped. Browsers accept cookies
/// whose names merely *look* like a prefixed one, with other kinds of space in front; those stay what they are.
#[derive(Clone, Copy)]
pub(crate) struct Cookies<'a> {
    headers: &'a HeaderMap,
}

impl<'a> Cookies<'a> {
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        Self { headers }
    }

    /// The value of a cookie, decoded; `None` if it is not there or empty.
    ///
    /// Two cookies of one name are one that was planted beside the real one, from another path or a sibling domain.
    /// Which is which cannot be known, so two different values are an error.
    pub(crate) fn get(self, name: &str) -> Result<Option<Cow<'a, str>>, InvalidReason> {
        let mut found: Option<&[u8]> = None;
        for (_, value) in self.pairs().filter(|(other, _)| *other == name.as_bytes()) {
            if found.is_some_and(|found| found != value) {
                return Err(InvalidReason::SeveralCookies);
            }
            found = Some(value);
        }
        let Some(value) = found.filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value).map_err(|_| InvalidReason::CookieMalformed)?;
        Ok(Some(percent_decoded(text)))
    }

    /// The value of a cookie that may come in chunks: `name` if it is there, else `name.0`, `name.1` … joined.
    ///
    /// `None` also where chunks are missing, come twice, or are more than Better Auth ever makes.
    pub(crate) fn get_chunked(self, name: &str) -> Option<Cow<'a, str>> {
        match self.get(name) {
            Ok(None) => {}
            Ok(whole) => return whole,
            Err(_) => return None,
        }
        let mut chunks: Vec<Option<&[u8]>> = Vec::new();
        for (other, value) in self.pairs() {
            let Some(index) = chunk_index(other, name) else {
                continue;
            };
            if index >= MOST_CHUNKS {
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
            if joined.len() > MAXIMUM_CHUNKED_LENGTH {
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

/// Without the blanks and tabs around it, and no others.
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

/// As JavaScript's `decodeURIComponent`, once; a text that it would refuse stays as it is.
pub(super) fn percent_decoded(text: &str) -> Cow<'_, str> {
    if memchr(b'%', text.as_bytes()).is_none() || !has_only_whole_escapes(text) {
        return Cow::Borrowed(text);
    }
    // With room for all of it from the start.
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend(percent_decode(text.as_bytes()));
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn has_only_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut digit = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        digit() && digit()
    })
}

/// The `n` of `name.n`: a whole number, written in the one way Better Auth writes it.
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
        let value = Cookies::of(&headers).get("s")?;
        Ok(value.map(Cow::into_owned))
    }

    fn chunked(header: &str) -> Option<String> {
        let headers = headers(&[header.as_bytes()]);
        let value = Cookies::of(&headers).get_chunked("s");
        value.map(Cow::into_owned)
    }

    #[test]
    fn a_value_is_trimmed_unquoted_and_decoded_once() {
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
    fn other_cookies_are_not_taken_for_it() {
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
    fn two_values_of_one_name_are_refused_and_the_same_one_twice_is_not() {
        assert_eq!(get("s=a; s=b"), Err(InvalidReason::SeveralCookies));
        assert_eq!(get("s=a; s="), Err(InvalidReason::SeveralCookies));
        assert_eq!(get("s=a; s=a"), Ok(Some("a".to_owned())));
        let across = headers(&[b"s=a", b"x=1; s=b"]);
        assert_eq!(
            Cookies::of(&across).get("s"),
            Err(InvalidReason::SeveralCookies)
        );
    }

    #[test]
    fn cookies_may_come_in_several_headers_and_beside_bytes_of_any_kind() {
        let across = headers(&[b"x=\xff\xfe", b"s=a"]);
        assert_eq!(Cookies::of(&across).get("s"), Ok(Some("a".into())));
        let broken = headers(&[b"s=\xff"]);
        assert_eq!(
            Cookies::of(&broken).get("s"),
            Err(InvalidReason::CookieMalformed)
        );
    }

    #[test]
    fn chunks_are_joined_in_the_order_of_their_numbers() {
        let in_order = (0..12).map(|n| format!("s.{n}={n},"));
        let all: String = in_order.collect::<Vec<_>>().join("; ");
        assert_eq!(chunked(&all).unwrap(), "0,1,2,3,4,5,6,7,8,9,10,11,");
        assert_eq!(chunked("s.1=b; s.0=a").as_deref(), Some("ab"));
        assert_eq!(chunked("s=whole; s.0=a").as_deref(), Some("whole"));
        assert_eq!(chunked("s=; s.0=a").as_deref(), Some("a"));
    }

    #[test]
    fn as_many_and_as_long_chunks_as_better_auth_makes_are_joined_and_no_more() {
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
    fn chunks_that_better_auth_never_makes_are_nothing() {
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
}

//! Bearer tokens (RFC 6750 §2.1, RFC 9110 §11).

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use memchr::memchr_iter;

use super::InvalidReason;
use super::cookies::percent_decoded;

/// Longer tokens are rejected before decoding. Better Auth's largest tokens are much shorter.
const MAX_LENGTH: usize = 8 * 1024;

/// A bearer token, not verified. `Debug` does not show the token.
#[derive(Clone)]
pub(crate) struct BearerToken<'a>(Cow<'a, str>);

impl<'a> BearerToken<'a> {
    /// Reads the token from `Authorization`. `None` if the header is missing or has another scheme.
    pub(super) fn extract(headers: &'a HeaderMap) -> Result<Option<Self>, InvalidReason> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        // A proxy may have checked the other header.
        if values.next().is_some() {
            return Err(InvalidReason::SeveralAuthorizationHeaders);
        }
        Self::parse(value.as_bytes())
    }

    fn parse(value: &'a [u8]) -> Result<Option<Self>, InvalidReason> {
        let malformed = InvalidReason::AuthorizationMalformed;
        let scheme_length = value.iter().take_while(|byte| is_tchar(**byte)).count();
        let (scheme, rest) = value.split_at_checked(scheme_length).ok_or(malformed)?;
        if scheme.is_empty() {
            return Err(malformed);
        }
        // RFC 9110 §11.1: schemes are case-insensitive.
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Ok(None);
        }
        // Bounds the work below, allowing for some spaces around the longest token.
        if value.len() > MAX_LENGTH + 64 {
            return Err(InvalidReason::TokenTooLong);
        }
        // RFC 9110 §11.4: one or more spaces separate scheme and token.
        let token = rest.trim_ascii_start();
        let separator = rest.strip_suffix(token).ok_or(malformed)?;
        if separator.is_empty() || separator.iter().any(|byte| *byte != b' ') {
            return Err(malformed);
        }
        let token = std::str::from_utf8(token.trim_ascii_end()).map_err(|_| malformed)?;
        if !is_token(token) {
            return Err(malformed);
        }
        if token.len() > MAX_LENGTH {
            return Err(InvalidReason::TokenTooLong);
        }
        Ok(Some(Self(token.into())))
    }

    /// Checks a token from another source than `Authorization`.
    pub(super) fn from_text(text: Cow<'a, str>) -> Result<Self, InvalidReason> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidReason::TokenTooLong);
        }
        if !is_token(&text) {
            return Err(InvalidReason::TokenMalformed);
        }
        Ok(Self(text))
    }

    /// Determines the form of the token. A session token may be percent-encoded, as in a cookie.
    pub(crate) fn form(&self) -> BearerForm<'_> {
        let text = percent_decoded(&self.0);
        match memchr_iter(b'.', text.as_bytes()).take(2).count() {
            0 => BearerForm::RawSessionToken(text),
            1 => BearerForm::SignedSessionToken(text),
            _ => BearerForm::Jws(&self.0),
        }
    }

    pub(super) fn into_owned(self) -> BearerToken<'static> {
        BearerToken(Cow::Owned(self.0.into_owned()))
    }
}

/// The forms of a bearer token, which exclude each other.
pub(crate) enum BearerForm<'a> {
    /// Two dots or more: a JWS, if valid.
    Jws(&'a str),
    /// `token.signature`
    SignedSessionToken(Cow<'a, str>),
    /// No dot.
    RawSessionToken(Cow<'a, str>),
}

impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(..)")
    }
}

/// RFC 9110 §5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// One or more characters of RFC 6750's `b64token`, or the percent sign: clients that copy a session
/// token from a cookie send it percent-encoded, and Better Auth accepts that.
///
/// The loop has no branches and no early exit, so the compiler can vectorize it.
fn is_token(text: &str) -> bool {
    let is_valid = text
        .bytes()
        .fold(true, |is_valid, byte| is_valid & is_token_character(byte));
    is_valid & !text.is_empty()
}

fn is_token_character(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `-./0123456789`
    let is_digit_or_before = byte.wrapping_sub(b'-') < 13;
    is_letter
        | is_digit_or_before
        | (byte == b'_')
        | (byte == b'~')
        | (byte == b'+')
        | (byte == b'=')
        | (byte == b'%')
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn extract(values: &[&[u8]]) -> Result<Option<String>, InvalidReason> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        let token = BearerToken::extract(&headers)?;
        Ok(token.map(|token| token.0.into_owned()))
    }

    #[test]
    fn scheme_is_case_insensitive() {
        for value in [
            "Bearer a.b.c",
            "bearer a.b.c",
            "BEARER  a.b.c",
            "bEaReR a.b.c \t",
        ] {
            assert_eq!(
                extract(&[value.as_bytes()]),
                Ok(Some("a.b.c".to_owned())),
                "{value}"
            );
        }
    }

    #[test]
    fn token_characters() {
        let characters: String = (0..=char::MAX as u32)
            .filter_map(char::from_u32)
            .filter(|character| is_token(&character.to_string()))
            .collect();
        assert_eq!(
            characters,
            "%+-./0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
        );
        // At every position.
        for length in [1, 16, 31, 100] {
            for position in 0..length {
                let mut text = vec![b'a'; length];
                text[position] = b',';
                assert!(!is_token(std::str::from_utf8(&text).unwrap()));
            }
        }
        assert!(!is_token(""));
    }

    #[test]
    fn other_schemes_are_ignored() {
        assert_eq!(extract(&[]), Ok(None));
        for value in [
            "Basic dXNlcjpwYXNz",
            "Basic",
            "DPoP a.b.c",
            "BearerX a.b.c",
            "Digest x=1, y=2",
        ] {
            assert_eq!(extract(&[value.as_bytes()]), Ok(None), "{value}");
        }
    }

    #[test]
    fn malformed_bearer_is_rejected() {
        let malformed = Err(InvalidReason::AuthorizationMalformed);
        let values: [&[u8]; 11] = [
            b"",
            b" ",
            b"Bearer",
            b"Bearer ",
            b"Bearer\ta.b.c",
            b"Bearer \ta.b.c",
            b"Bearer,a.b.c",
            b"Bearer a.b.c, Bearer d.e.f",
            b"Bearer a b",
            b"Bearer a\xffb",
            b"Bearer \"a.b.c\"",
        ];
        for value in values {
            assert_eq!(
                extract(&[value]),
                malformed,
                "{}",
                String::from_utf8_lossy(value)
            );
        }
    }

    #[test]
    fn two_headers_are_rejected() {
        let several = Err(InvalidReason::SeveralAuthorizationHeaders);
        assert_eq!(extract(&[b"Bearer a.b.c", b"Bearer a.b.c"]), several);
        assert_eq!(extract(&[b"Basic eDp5", b"Bearer a.b.c"]), several);
    }

    #[test]
    fn token_length_is_limited() {
        let value = |length: usize| format!("Bearer {}", "a".repeat(length)).into_bytes();
        assert!(extract(&[&value(8192)]).is_ok());
        assert_eq!(extract(&[&value(8193)]), Err(InvalidReason::TokenTooLong));
        // From other sources, too.
        assert!(BearerToken::from_text("a".repeat(8192).into()).is_ok());
        assert_eq!(
            BearerToken::from_text("a".repeat(8193).into()).err(),
            Some(InvalidReason::TokenTooLong)
        );
    }

    #[test]
    fn header_length_is_limited() {
        let value = |spaces: usize, token: &str| {
            let value = format!("Bearer{}{token}", " ".repeat(spaces));
            extract(&[value.as_bytes()]).map(|token| token.map(|token| token.len()))
        };
        let longest = "a".repeat(8192);
        assert_eq!(value(58, &longest), Ok(Some(8192)));
        assert_eq!(value(59, &longest), Err(InvalidReason::TokenTooLong));
        let invalid = ",".repeat(8250);
        assert_eq!(value(1, &invalid), Err(InvalidReason::TokenTooLong));
        assert_eq!(
            value(0, &invalid),
            Err(InvalidReason::AuthorizationMalformed)
        );
    }

    #[test]
    fn debug_hides_the_token() {
        let headers: HeaderMap = [(
            AUTHORIZATION,
            HeaderValue::from_static("Bearer secret-part"),
        )]
        .into_iter()
        .collect();
        let token = BearerToken::extract(&headers).unwrap();
        assert_eq!(format!("{token:?}"), "Some(BearerToken(..))");
    }
}

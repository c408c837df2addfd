//! The bearer token in the `Authorization` header (RFC 6750 §2.1, RFC 9110 §11).

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use memchr::memchr_iter;

use super::InvalidReason;
use super::cookies::percent_decoded;

/// Longer tokens are refused before anything of them is decoded. Better Auth's largest fit several times.
const MAXIMUM_LENGTH: usize = 8 * 1024;

/// A bearer token, not verified. `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct BearerToken<'a>(Cow<'a, str>);

impl<'a> BearerToken<'a> {
    /// Takes the token from the headers. `Ok(None)`: no `Authorization` header, or one of another scheme.
    pub(crate) fn extract(headers: &'a HeaderMap) -> Result<Option<Self>, InvalidReason> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        // Which of two a proxy in front of us looked at is anybody's guess.
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
        // RFC 9110 §11.1: schemes are compared without regard to case.
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Ok(None);
        }
        // Nothing of a longer value is looked at. There is room for a few blanks beside the longest token.
        if value.len() > MAXIMUM_LENGTH + 64 {
            return Err(InvalidReason::TokenTooLong);
        }
        // RFC 9110 §11.4: one or more spaces, nothing else, stand between scheme and token.
        let token = rest.trim_ascii_start();
        let separator = rest.strip_suffix(token).ok_or(malformed)?;
        if separator.is_empty() || separator.iter().any(|byte| *byte != b' ') {
            return Err(malformed);
        }
        let token = std::str::from_utf8(token.trim_ascii_end()).map_err(|_| malformed)?;
        if !is_token(token) {
            return Err(malformed);
        }
        if token.len() > MAXIMUM_LENGTH {
            return Err(InvalidReason::TokenTooLong);
        }
        Ok(Some(Self(token.into())))
    }

    /// A token that stands by itself, outside of `Authorization`.
    pub(super) fn from_text(text: Cow<'a, str>) -> Result<Self, InvalidReason> {
        if text.len() > MAXIMUM_LENGTH {
            return Err(InvalidReason::TokenTooLong);
        }
        if !is_token(&text) {
            return Err(InvalidReason::TokenMalformed);
        }
        Ok(Self(text))
    }

    /// What the token is by its outer form. A session token may be percent-encoded, as it stands in a cookie.
    pub(crate) fn form(&self) -> BearerForm<'_> {
        let text = percent_decoded(&self.0);
        match memchr_iter(b'.', text.as_bytes()).take(2).count() {
            0 => BearerForm::RawSessionToken(text),
            1 => BearerForm::SignedSessionToken(text),
            _ => BearerForm::Jws(&self.0),
        }
    }
}

/// The forms of a bearer token. No text has two of them.
pub(crate) enum BearerForm<'a> {
    /// Parts between two dots or more: a JWS, if anything.
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

/// At least one of the characters of RFC 6750's `b64token`, or the percent sign: clients that take a session token from a
/// cookie send it as it stands there, and Better Auth accepts that.
///
/// Looks at all of it whatever it finds, and branches nowhere: so the compiler takes many characters at a time.
fn is_token(text: &str) -> bool {
    let is_all = text
        .bytes()
        .fold(true, |so_far, byte| so_far & is_token_character(byte));
    is_all & !text.is_empty()
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
    fn the_scheme_is_compared_without_regard_to_case() {
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
    fn the_characters_of_a_token_are_these_and_no_others() {
        let characters: String = (0..=char::MAX as u32)
            .filter_map(char::from_u32)
            .filter(|character| is_token(&character.to_string()))
            .collect();
        assert_eq!(
            characters,
            "%+-./0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
        );
        // Wherever the wrong one stands.
        for length in [1, 16, 31, 100] {
            for place in 0..length {
                let mut text = vec![b'a'; length];
                text[place] = b',';
                assert!(!is_token(std::str::from_utf8(&text).unwrap()));
            }
        }
        assert!(!is_token(""));
    }

    #[test]
    fn no_header_and_other_schemes_are_nobodys_credential() {
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
    fn a_bearer_credential_of_the_wrong_form_is_never_taken_for_none() {
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
    fn two_headers_are_refused_even_if_equal() {
        let several = Err(InvalidReason::SeveralAuthorizationHeaders);
        assert_eq!(extract(&[b"Bearer a.b.c", b"Bearer a.b.c"]), several);
        assert_eq!(extract(&[b"Basic eDp5", b"Bearer a.b.c"]), several);
    }

    #[test]
    fn the_longest_token_passes_and_one_byte_more_does_not() {
        let value = |length: usize| format!("Bearer {}", "a".repeat(length)).into_bytes();
        assert!(extract(&[&value(8192)]).is_ok());
        assert_eq!(extract(&[&value(8193)]), Err(InvalidReason::TokenTooLong));
        // In a place of its own, too.
        assert!(BearerToken::from_text("a".repeat(8192).into()).is_ok());
        assert_eq!(
            BearerToken::from_text("a".repeat(8193).into()).err(),
            Some(InvalidReason::TokenTooLong)
        );
    }

    #[test]
    fn of_a_value_that_is_longer_than_any_token_nothing_is_looked_at() {
        let value = |blanks: usize, token: &str| {
            let value = format!("Bearer{}{token}", " ".repeat(blanks));
            extract(&[value.as_bytes()]).map(|token| token.map(|token| token.len()))
        };
        let longest = "a".repeat(8192);
        assert_eq!(value(58, &longest), Ok(Some(8192)));
        assert_eq!(value(59, &longest), Err(InvalidReason::TokenTooLong));
        let no_token = ",".repeat(8250);
        assert_eq!(value(1, &no_token), Err(InvalidReason::TokenTooLong));
        assert_eq!(
            value(0, &no_token),
            Err(InvalidReason::AuthorizationMalformed)
        );
    }

    #[test]
    fn debug_shows_nothing_of_the_token() {
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

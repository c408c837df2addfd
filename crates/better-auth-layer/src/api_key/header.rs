//! The header that carries an API key.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName};

use crate::config_error::ConfigError;

/// Better Auth's keys are 64 letters after a prefix. Longer values are not hashed.
const MAXIMUM_LENGTH: usize = 512;

/// An API key as the client sent it, prefix included.
#[derive(Clone, Copy)]
pub(crate) struct ApiKeyText<'a>(&'a str);

/// Why the headers of a request contain no usable API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiKeyHeaderError {
    /// The request has several keys.
    Several,
    /// The value cannot be a key.
    Malformed,
}

impl<'a> ApiKeyText<'a> {
    /// Reads the key from one of these headers. A request must not have two keys.
    pub(crate) fn extract(
        headers: &'a HeaderMap,
        names: &[HeaderName],
    ) -> Result<Option<Self>, ApiKeyHeaderError> {
        let mut values = names.iter().flat_map(|name| headers.get_all(name));
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(ApiKeyHeaderError::Several);
        }
        let is_visible = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_graphic);
        let bytes = value.as_bytes();
        if bytes.is_empty() || bytes.len() > MAXIMUM_LENGTH || !is_visible(bytes) {
            return Err(ApiKeyHeaderError::Malformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ApiKeyHeaderError::Malformed)?;
        Ok(Some(Self(text)))
    }

    pub(crate) fn expose(self) -> &'a str {
        self.0
    }
}

/// Parses the name of a header that carries one kind of credential.
pub(crate) fn dedicated_header(
    setting: &'static str,
    name: &str,
) -> Result<HeaderName, ConfigError> {
    let invalid = |problem: &'static str| {
        ConfigError::new(
            setting,
            problem,
            "write the name of a header without other credentials, such as `x-api-key`",
        )
    };
    let name: HeaderName = name
        .parse()
        .map_err(|_| invalid("contains an invalid header name"))?;
    if name == AUTHORIZATION || name == COOKIE {
        return Err(invalid("shares a header with other credentials"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-api-key");

    fn extract(values: &[&[u8]]) -> Result<Option<String>, ApiKeyHeaderError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_bytes(value).unwrap());
        }
        let key = ApiKeyText::extract(&headers, &[NAME])?;
        Ok(key.map(|key| key.expose().to_owned()))
    }

    #[test]
    fn visible_characters_are_accepted() {
        assert_eq!(extract(&[]), Ok(None));
        assert_eq!(extract(&[b"g_abc"]), Ok(Some("g_abc".to_owned())));
        let longest = [b'a'; MAXIMUM_LENGTH];
        assert!(extract(&[&longest]).is_ok());
    }

    #[test]
    fn malformed_key_is_an_error() {
        let too_long = [b'a'; MAXIMUM_LENGTH + 1];
        for value in [b"".as_slice(), b"a b", b"a\xff", b"a\tb", &too_long] {
            assert_eq!(extract(&[value]), Err(ApiKeyHeaderError::Malformed));
        }
        let several = Err(ApiKeyHeaderError::Several);
        assert_eq!(extract(&[b"a", b"a"]), several);
    }
}

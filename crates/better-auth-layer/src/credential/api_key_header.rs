//! The header that brings an API key.

use http::{HeaderMap, HeaderName};

use super::InvalidReason;

/// Better Auth's keys are 64 letters behind a prefix; nothing of a longer value is looked at.
const MAXIMUM_LENGTH: usize = 512;

/// An API key as it was sent, prefix included.
#[derive(Clone, Copy)]
pub(crate) struct ApiKeyText<'a>(&'a str);

impl<'a> ApiKeyText<'a> {
    /// Finds the key in one of the headers that may have it. There must not be two.
    pub(crate) fn extract(
        headers: &'a HeaderMap,
        names: &[HeaderName],
    ) -> Result<Option<Self>, InvalidReason> {
        let mut values = names.iter().flat_map(|name| headers.get_all(name));
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(InvalidReason::SeveralApiKeys);
        }
        let is_visible = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_graphic);
        let bytes = value.as_bytes();
        if bytes.is_empty() || bytes.len() > MAXIMUM_LENGTH || !is_visible(bytes) {
            return Err(InvalidReason::ApiKeyMalformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidReason::ApiKeyMalformed)?;
        Ok(Some(Self(text)))
    }

    pub(crate) fn expose(self) -> &'a str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-api-key");

    fn extract(values: &[&[u8]]) -> Result<Option<String>, InvalidReason> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_bytes(value).unwrap());
        }
        let key = ApiKeyText::extract(&headers, &[NAME])?;
        Ok(key.map(|key| key.expose().to_owned()))
    }

    #[test]
    fn one_key_of_visible_characters_is_taken() {
        assert_eq!(extract(&[]), Ok(None));
        assert_eq!(extract(&[b"g_abc"]), Ok(Some("g_abc".to_owned())));
        let longest = [b'a'; MAXIMUM_LENGTH];
        assert!(extract(&[&longest]).is_ok());
    }

    #[test]
    fn anything_else_is_refused_and_never_taken_for_none() {
        let too_long = [b'a'; MAXIMUM_LENGTH + 1];
        for value in [b"".as_slice(), b"a b", b"a\xff", b"a\tb", &too_long] {
            assert_eq!(extract(&[value]), Err(InvalidReason::ApiKeyMalformed));
        }
        let several = Err(InvalidReason::SeveralApiKeys);
        assert_eq!(extract(&[b"a", b"a"]), several);
    }
}

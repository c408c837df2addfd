//! The header that carries an API key.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use super::InvalidReason;

/// Longer values are not read. Better Auth's keys are 64 letters after a prefix.
const MAX_LENGTH: usize = 512;

/// An API key as it was sent, prefix included.
pub(crate) struct ApiKeyText<'a>(Cow<'a, str>);

impl<'a> ApiKeyText<'a> {
    /// Reads the key from one of several headers. More than one key is an error.
    pub(super) fn extract(
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
        let bytes = value.as_bytes();
        let is_visible = bytes.iter().all(u8::is_ascii_graphic);
        if bytes.is_empty() || bytes.len() > MAX_LENGTH || !is_visible {
            return Err(InvalidReason::ApiKeyMalformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidReason::ApiKeyMalformed)?;
        Ok(Some(Self(text.into())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn into_owned(self) -> ApiKeyText<'static> {
        ApiKeyText(Cow::Owned(self.0.into_owned()))
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
    fn one_visible_key_is_extracted() {
        assert_eq!(extract(&[]), Ok(None));
        assert_eq!(extract(&[b"g_abc"]), Ok(Some("g_abc".to_owned())));
        let longest = [b'a'; MAX_LENGTH];
        assert!(extract(&[&longest]).is_ok());
    }

    #[test]
    fn malformed_keys_are_rejected() {
        let too_long = [b'a'; MAX_LENGTH + 1];
        for value in [b"".as_slice(), b"a b", b"a\xff", b"a\tb", &too_long] {
            assert_eq!(extract(&[value]), Err(InvalidReason::ApiKeyMalformed));
        }
        let several = Err(InvalidReason::SeveralApiKeys);
        assert_eq!(extract(&[b"a", b"a"]), several);
    }
}

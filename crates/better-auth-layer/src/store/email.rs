//! The e-mail address as a key.

use std::borrow::Cow;
use std::fmt;

/// An e-mail address to look up.
///
/// Better Auth stores addresses in lower case, other tables may not. So a store is asked for two spellings at once,
/// the address [as given](Self::as_str) and its [lower-case form](Self::lower_cased); where both exist, the row
/// with the spelling as given wins. Only ASCII letters are folded: Unicode case mapping would merge addresses that are
/// different mailboxes.
///
/// ```
/// use better_auth_layer::store::EmailKey;
///
/// let key = EmailKey::new("Ada@Example.com");
/// assert_eq!(key.as_str(), "Ada@Example.com");
/// assert_eq!(key.to_lowercase(), "ada@example.com");
/// assert!(key.matches("ada@example.com"));
/// assert!(!key.matches("ADA@example.com"));
/// ```
#[derive(Clone)]
pub struct EmailKey<'a> {
    as_str: Cow<'a, str>,
    lower_cased: Option<String>,
}

impl<'a> EmailKey<'a> {
    /// Makes the key for an address.
    #[must_use]
    pub fn new(address: impl Into<Cow<'a, str>>) -> Self {
        let as_str = address.into();
        let lower_cased = as_str
            .bytes()
            .any(|byte| byte.is_ascii_uppercase())
            .then(|| as_str.to_ascii_lowercase());
        Self {
            as_str,
            lower_cased,
        }
    }

    /// The address as the credential has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.as_str
    }

    /// The address in lower case; the same text where it was so already.
    #[must_use]
    pub fn to_lowercase(&self) -> &str {
        self.lower_cased.as_deref().unwrap_or(&self.as_str)
    }

    /// Whether a row's address answers this key: it is one of the two spellings, letter for letter. A column that
    /// compares without regard to case (`citext`, `NOCASE`) may hold a third one, which is somebody else's.
    #[must_use]
    pub fn matches(&self, address: &str) -> bool {
        address == self.as_str() || address == self.to_lowercase()
    }

    pub(crate) fn into_owned(self) -> EmailKey<'static> {
        EmailKey {
            as_str: Cow::Owned(self.as_str.into_owned()),
            lower_cased: self.lower_cased,
        }
    }
}

impl fmt::Debug for EmailKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailKey(..)")
    }
}

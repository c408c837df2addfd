//! The form in which an API key is stored.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The hash under which Better Auth stores an API key: base64url of the SHA-256 of the whole key, its prefix included.
///
/// `Debug` shows nothing of it.
///
/// ```
/// use better_auth_layer::api_key::ApiKeyHash;
///
/// let hash = ApiKeyHash::from_key("hello");
/// assert_eq!(hash.as_str(), "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApiKeyHash(Box<str>);

impl ApiKeyHash {
    /// Hashes a key as it is sent.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, key.as_bytes()));
        Self(hash.into())
    }

    /// Takes the hash from a table's column.
    #[must_use]
    pub fn from_stored(hash: impl Into<Box<str>>) -> Self {
        Self(hash.into())
    }

    /// The hash as the table has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash(..)")
    }
}

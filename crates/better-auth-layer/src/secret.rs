//! [`Secret`] and [`SecretRing`]: redacted in `Debug`, zeroized on drop.

use std::fmt;

use zeroize::Zeroizing;

/// The public default of Better Auth (`utils/constants.ts`).
const PUBLIC_DEFAULT: &[u8] = b"better-auth-secret-12345678901234567890";

/// A shorter secret can be found by brute force from a single token.
const MINIMUM_LENGTH: usize = 16;

/// RFC 7518 §3.2: an HS256 key has at least 256 bits. Better Auth warns below this length too.
const RECOMMENDED_LENGTH: usize = 32;

/// A secret shared with Better Auth (`BETTER_AUTH_SECRET`).
///
/// The bytes of the text are the key. Like Better Auth, this crate does not decode hex or base64.
/// `Debug` does not show the secret, there is no `PartialEq`, and the memory is zeroized on drop.
///
/// ```
/// use better_auth_layer::Secret;
/// use better_auth_layer::config::SecretError;
///
/// let secret = Secret::new("correct-horse-battery-staple-4711")?;
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(Secret::new("short").unwrap_err(), SecretError::TooShort { length: 5 });
/// # Ok::<(), SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Creates a secret and rejects weak ones.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the secret is empty, Better Auth's public default, shorter than 16 bytes, or
    /// ends with a line break (the trailing newline of a file would be part of the key). Secrets of 16
    /// to 31 bytes are accepted with a log message, as in Better Auth.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes.into());
        match bytes.as_slice() {
            [] => Err(SecretError::Empty),
            PUBLIC_DEFAULT => Err(SecretError::PublicDefault),
            [.., b'\n' | b'\r'] => Err(SecretError::TrailingLineBreak),
            short if short.len() < MINIMUM_LENGTH => Err(SecretError::TooShort {
                length: short.len(),
            }),
            _ => Ok(Self(bytes)),
        }
    }

    /// Creates a secret from any bytes that are not empty.
    ///
    /// A client that guesses the secret can sign in as every user. Use this only for test fixtures and
    /// during migrations.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`] if the secret is empty.
    pub fn dangerous_unchecked(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self(bytes))
    }

    /// The bytes of the secret.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether Better Auth warns about the length.
    pub(crate) fn is_shorter_than_recommended(&self) -> bool {
        self.0.len() < RECOMMENDED_LENGTH
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret is invalid. It contains no part of the secret.
///
/// ```
/// use better_auth_layer::Secret;
/// use better_auth_layer::config::SecretError;
///
/// assert_eq!(Secret::new("from-a-file-with-a-newline\n").unwrap_err(), SecretError::TrailingLineBreak);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretError {
    /// The secret is empty.
    Empty,
    /// Better Auth's public default.
    PublicDefault,
    /// Fewer than 16 bytes.
    TooShort {
        /// The number of bytes.
        length: usize,
    },
    /// The secret ends with a line feed or a carriage return.
    TrailingLineBreak,
    /// A versioned list does not have the form `version:secret,version:secret`.
    MalformedList {
        /// The number of the entry, starting at one.
        entry: usize,
    },
    /// Two entries of a versioned list have the same version.
    DuplicateVersion {
        /// The duplicate version.
        version: u32,
    },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the secret is empty"),
            Self::PublicDefault => f.write_str("the secret is Better Auth's public default"),
            Self::TooShort { length } => write!(
                f,
                "the secret has {length} bytes; at least {MINIMUM_LENGTH} are required and {RECOMMENDED_LENGTH} recommended"
            ),
            Self::TrailingLineBreak => {
                f.write_str("the secret ends with a line break, which would be part of the key")
            }
            Self::MalformedList { entry } => write!(
                f,
                "entry {entry} is not `version:secret` with an integer version"
            ),
            Self::DuplicateVersion { version } => {
                write!(f, "version {version} appears twice")
            }
        }
    }
}

impl std::error::Error for SecretError {}

/// The current secret and, during a rotation, previous secrets.
///
/// Previous secrets are accepted only with
/// [`accept_previous_secrets`](crate::BetterAuthLayerBuilder::accept_previous_secrets). Better Auth
/// verifies only with the current secret.
///
/// ```
/// use better_auth_layer::config::{SecretError, SecretRing};
///
/// let ring = SecretRing::parse("2:the-new-secret-of-this-deployment,1:the-old-secret-of-this-deployment")?;
/// assert_eq!(ring.previous().len(), 1);
/// # Ok::<(), SecretError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SecretRing {
    current: Secret,
    previous: Vec<Secret>,
}

impl SecretRing {
    /// Creates a ring with one secret.
    #[must_use]
    pub fn new(current: Secret) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }

    /// Adds a previous secret.
    #[must_use]
    pub fn with_previous(mut self, secret: Secret) -> Self {
        self.previous.push(secret);
        self
    }

    /// Parses `BETTER_AUTH_SECRETS`: comma-separated `version:secret` entries.
    ///
    /// The first entry is the current secret, independent of its version. A secret may contain `:` but
    /// not `,` (upstream `context/secret-utils.ts`).
    ///
    /// # Errors
    ///
    /// [`SecretError`] for a malformed list and for secrets that [`Secret::new`] rejects.
    pub fn parse(list: &str) -> Result<Self, SecretError> {
        let mut versions = Vec::new();
        let mut secrets = Vec::new();
        for (index, entry) in list.split(',').enumerate() {
            let malformed = SecretError::MalformedList { entry: index + 1 };
            let (version, secret) = entry.trim().split_once(':').ok_or(malformed.clone())?;
            let version: u32 = version.trim().parse().map_err(|_| malformed)?;
            if versions.contains(&version) {
                return Err(SecretError::DuplicateVersion { version });
            }
            versions.push(version);
            secrets.push(Secret::new(secret.trim())?);
        }
        let mut secrets = secrets.into_iter();
        let current = secrets.next().ok_or(SecretError::Empty)?;
        Ok(Self {
            current,
            previous: secrets.collect(),
        })
    }

    /// The current secret.
    #[must_use]
    pub fn current(&self) -> &Secret {
        &self.current
    }

    /// The accepted secrets, the current one first.
    pub(crate) fn accepted(&self, with_previous: bool) -> impl Iterator<Item = &Secret> {
        let previous = if with_previous { self.previous() } else { &[] };
        std::iter::once(&self.current).chain(previous)
    }

    /// The previous secrets, latest first.
    #[must_use]
    pub fn previous(&self) -> &[Secret] {
        &self.previous
    }
}

impl From<Secret> for SecretRing {
    fn from(current: Secret) -> Self {
        Self::new(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_rejected() {
        let error = |bytes: &str| Secret::new(bytes).unwrap_err();
        assert_eq!(error(""), SecretError::Empty);
        assert_eq!(
            error("better-auth-secret-12345678901234567890"),
            SecretError::PublicDefault
        );
        assert_eq!(
            error("fifteen-bytes-x"),
            SecretError::TooShort { length: 15 }
        );
        assert_eq!(
            error("long-enough-but-from-a-file\n"),
            SecretError::TrailingLineBreak
        );
        assert!(Secret::new("sixteen-bytes-xy").is_ok());
        assert!(Secret::dangerous_unchecked("x").is_ok());
        assert_eq!(
            Secret::dangerous_unchecked("").unwrap_err(),
            SecretError::Empty
        );
    }

    #[test]
    fn first_version_is_current() {
        let ring =
            SecretRing::parse("1:first-secret:with:colons, 7:second-secret-of-the-list").unwrap();
        assert_eq!(ring.current().expose(), b"first-secret:with:colons");
        assert_eq!(ring.previous()[0].expose(), b"second-secret-of-the-list");
    }

    #[test]
    fn malformed_entry_is_named() {
        let error = |list: &str| SecretRing::parse(list).unwrap_err();
        assert_eq!(error(""), SecretError::MalformedList { entry: 1 });
        assert_eq!(
            error("1:a-secret-of-this-deployment,two:another"),
            SecretError::MalformedList { entry: 2 }
        );
        assert_eq!(
            error("1:a-secret-of-this-deployment,1:another-secret-of-it"),
            SecretError::DuplicateVersion { version: 1 }
        );
        assert_eq!(error("1:"), SecretError::Empty);
    }

    #[test]
    fn debug_is_redacted() {
        let ring = SecretRing::new(Secret::new("a-secret-of-this-deployment").unwrap());
        assert_eq!(
            format!("{ring:?}"),
            "SecretRing { current: Secret(..), previous: [] }"
        );
    }
}

//! The deployment's secrets: held redacted, wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// What Better Auth signs with when nobody configured a secret (`utils/constants.ts`). Everybody knows it.
const PUBLIC_DEFAULT: &[u8] = b"better-auth-secret-12345678901234567890";

/// Below this many bytes a secret can be found by trial from a single token.
const MINIMUM_LENGTH: usize = 16;

/// RFC 7518 §3.2: a key for HS256 has at least as many bits as the hash. Better Auth warns below the same length.
const RECOMMENDED_LENGTH: usize = 32;

/// A secret shared with Better Auth (`BETTER_AUTH_SECRET`).
///
/// The bytes of the configured text are used as they stand, never decoded from hex or base64, as Better Auth does.
/// `Debug` shows nothing of them, there is no comparison, and the memory is wiped on drop.
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
    /// Takes a secret that can keep a front door shut.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when it is empty, Better Auth's public default, shorter than 16 bytes, or ends with a line
    /// break (a file's trailing newline would silently be part of the key). From 16 to 31 bytes it is taken, and
    /// building the layer logs a warning, as Better Auth itself does.
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

    /// Takes any bytes that are not empty, however weak.
    ///
    /// Whoever can guess the secret can be every user. For test fixtures and for a migration in progress only.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`]: an empty key signs for everybody.
    pub fn dangerous_unchecked(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self(bytes))
    }

    /// The bytes themselves, for handing them to a cipher.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether Better Auth would warn about the length.
    pub(crate) fn is_shorter_than_recommended(&self) -> bool {
        self.0.len() < RECOMMENDED_LENGTH
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret was refused. Never holds any of it.
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
    /// Nothing there.
    Empty,
    /// Better Auth's built-in default, which is printed in its source.
    PublicDefault,
    /// Fewer than 16 bytes.
    TooShort {
        /// How many bytes there were.
        length: usize,
    },
    /// The last byte is a line feed or a carriage return.
    TrailingLineBreak,
    /// A versioned list is not `version:secret,version:secret`.
    MalformedList {
        /// Which entry, counted from one.
        entry: usize,
    },
    /// Two entries of a versioned list have the same version.
    DuplicateVersion {
        /// The version that occurs twice.
        version: u32,
    },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the secret is empty"),
            Self::PublicDefault => {
                f.write_str("the secret is Better Auth's public default, which everybody knows")
            }
            Self::TooShort { length } => write!(
                f,
                "the secret has {length} bytes, at least {MINIMUM_LENGTH} are needed and {RECOMMENDED_LENGTH} recommended"
            ),
            Self::TrailingLineBreak => f.write_str(
                "the secret ends with a line break, which Better Auth would take as part of the key; remove it",
            ),
            Self::MalformedList { entry } => write!(
                f,
                "entry {entry} of the list of secrets is not `version:secret` with a whole number for the version"
            ),
            Self::DuplicateVersion { version } => {
                write!(f, "the list of secrets has version {version} twice")
            }
        }
    }
}

impl std::error::Error for SecretError {}

/// The current secret and, during a rotation, the ones before it.
///
/// Previous secrets are accepted only where the builder was told so
/// ([`accept_previous_secrets`](crate::BetterAuthLayerBuilder::accept_previous_secrets)): Better Auth itself verifies
/// with the current one alone.
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
    /// A ring of one.
    #[must_use]
    pub fn new(current: Secret) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }

    /// Adds a secret that was current before.
    #[must_use]
    pub fn with_previous(mut self, secret: Secret) -> Self {
        self.previous.push(secret);
        self
    }

    /// Reads Better Auth's `BETTER_AUTH_SECRETS`: `version:secret` entries between commas.
    ///
    /// The first entry is the current one, whatever its number. A secret may hold `:`, not `,`
    /// (upstream `context/secret-utils.ts`).
    ///
    /// # Errors
    ///
    /// [`SecretError`] for a list that is not of this form and for every secret that [`Secret::new`] refuses.
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

    /// The secret in force.
    #[must_use]
    pub fn current(&self) -> &Secret {
        &self.current
    }

    /// The secrets by which something may be signed, the current one first.
    pub(crate) fn accepted(&self, with_previous: bool) -> impl Iterator<Item = &Secret> {
        let previous = if with_previous { self.previous() } else { &[] };
        std::iter::once(&self.current).chain(previous)
    }

    /// The secrets before it, latest first.
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
    fn weak_secrets_are_refused_with_their_reason() {
        let refused = |bytes: &str| Secret::new(bytes).unwrap_err();
        assert_eq!(refused(""), SecretError::Empty);
        assert_eq!(
            refused("better-auth-secret-12345678901234567890"),
            SecretError::PublicDefault
        );
        assert_eq!(
            refused("fifteen-bytes-x"),
            SecretError::TooShort { length: 15 }
        );
        assert_eq!(
            refused("long-enough-but-from-a-file\n"),
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
    fn the_first_of_a_versioned_list_is_current() {
        let ring =
            SecretRing::parse("1:first-secret:with:colons, 7:second-secret-of-the-list").unwrap();
        assert_eq!(ring.current().expose(), b"first-secret:with:colons");
        assert_eq!(ring.previous()[0].expose(), b"second-secret-of-the-list");
    }

    #[test]
    fn malformed_lists_name_the_entry() {
        let refused = |list: &str| SecretRing::parse(list).unwrap_err();
        assert_eq!(refused(""), SecretError::MalformedList { entry: 1 });
        assert_eq!(
            refused("1:a-secret-of-this-deployment,two:another"),
            SecretError::MalformedList { entry: 2 }
        );
        assert_eq!(
            refused("1:a-secret-of-this-deployment,1:another-secret-of-it"),
            SecretError::DuplicateVersion { version: 1 }
        );
        assert_eq!(refused("1:"), SecretError::Empty);
    }

    #[test]
    fn debug_shows_nothing() {
        let ring = SecretRing::new(Secret::new("a-secret-of-this-deployment").unwrap());
        assert_eq!(
            format!("{ring:?}"),
            "SecretRing { current: Secret(..), previous: [] }"
        );
    }
}

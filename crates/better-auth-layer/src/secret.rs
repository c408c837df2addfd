//! [`Secret`] and [`SecretRing`]: redacted in `Debug`, zeroized on drop.

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

use crate::config_error::ConfigError;

/// The secret that Better Auth signs with if none is configured (`utils/constants.ts`). It is
/// public.
const PUBLIC_DEFAULT: &[u8] = b"better-auth-secret-12345678901234567890";

/// A shorter secret can be found from a single token by brute force.
const MINIMUM_LENGTH: usize = 16;

/// RFC 7518 §3.2: a key for HS256 has at least as many bits as the hash. Better Auth warns below
/// the same length.
const RECOMMENDED_LENGTH: usize = 32;

/// The setting that errors name; [`Config`](crate::Config) replaces it by its variable.
const SETTING: &str = "secret";

const REMEDY: &str =
    "set it to the secret of the Better Auth deployment; create one with `openssl rand -base64 32`";

/// A secret shared with Better Auth (`BETTER_AUTH_SECRET`).
///
/// The bytes of the text are the key; like Better Auth, this crate does not decode hex or base64.
/// `Debug` is redacted, there is no comparison, and the memory is wiped on drop.
///
/// ```
/// use better_auth_layer::Secret;
///
/// let secret = Secret::new("correct-horse-battery-staple-4711")?;
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(Secret::new("short").is_err());
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Creates a secret and checks its strength.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the secret is empty, Better Auth's public default, shorter than 16 bytes,
    /// or ends with a line break (the trailing newline of a file would become part of the key). A
    /// secret of 16 to 31 bytes is accepted, and building the layer logs a warning, as Better Auth
    /// does.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, ConfigError> {
        let bytes = Zeroizing::new(bytes.into());
        match bytes.as_slice() {
            [] => Err(invalid("is empty")),
            PUBLIC_DEFAULT => Err(invalid("is Better Auth's public default")),
            [.., b'\n' | b'\r'] => Err(invalid(
                "ends with a line break, which would be part of the key",
            )),
            short if short.len() < MINIMUM_LENGTH => Err(invalid(format!(
                "has {} bytes; at least {MINIMUM_LENGTH} are required and {RECOMMENDED_LENGTH} recommended",
                short.len()
            ))),
            _ => Ok(Self(bytes)),
        }
    }

    /// Creates a secret of any strength.
    ///
    /// An attacker who guesses the secret can impersonate every user. Use this only for test
    /// fixtures and during a migration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the secret is empty.
    pub fn dangerous_unchecked(bytes: impl Into<Vec<u8>>) -> Result<Self, ConfigError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() {
            return Err(invalid("is empty"));
        }
        Ok(Self(bytes))
    }

    /// Returns the bytes.
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

fn invalid(problem: impl Into<Cow<'static, str>>) -> ConfigError {
    ConfigError::new(SETTING, problem, REMEDY)
}

/// The current secret and, during a rotation, the previous ones.
///
/// Signatures with a previous secret are accepted only after
/// [`accept_previous_secrets`](crate::BetterAuthLayerBuilder::accept_previous_secrets): Better Auth
/// itself verifies with the current secret only. An encrypted cookie cache is opened with any secret
/// of the ring, as in Better Auth.
///
/// ```
/// use better_auth_layer::config::SecretRing;
///
/// let ring = SecretRing::parse("2:the-new-secret-of-this-deployment,1:the-old-secret-of-this-deployment")?;
/// assert_eq!(ring.previous().len(), 1);
/// # Ok::<(), better_auth_layer::ConfigError>(())
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

    /// Parses the format of Better Auth's `BETTER_AUTH_SECRETS`: comma-separated `version:secret`
    /// entries.
    ///
    /// The first entry is the current secret, independent of its version. A secret may contain `:`
    /// but not `,` (upstream `context/secret-utils.ts`).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the list is malformed, contains a version twice, or contains a secret
    /// that [`Secret::new`] rejects.
    pub fn parse(list: &str) -> Result<Self, ConfigError> {
        let mut versions = Vec::new();
        let mut secrets = Vec::new();
        for (index, entry) in list.split(',').enumerate() {
            let malformed = || {
                ConfigError::new(
                    SETTING,
                    format!("has an invalid entry {}", index + 1),
                    "write `version:secret` entries with integer versions, separated by commas",
                )
            };
            let (version, secret) = entry.trim().split_once(':').ok_or_else(malformed)?;
            let version: u32 = version.trim().parse().map_err(|_| malformed())?;
            if versions.contains(&version) {
                return Err(ConfigError::new(
                    SETTING,
                    format!("contains version {version} twice"),
                    "use every version once",
                ));
            }
            versions.push(version);
            secrets.push(Secret::new(secret.trim())?);
        }
        let mut secrets = secrets.into_iter();
        let current = secrets.next().ok_or_else(|| invalid("is empty"))?;
        Ok(Self {
            current,
            previous: secrets.collect(),
        })
    }

    /// Returns the current secret.
    #[must_use]
    pub fn current(&self) -> &Secret {
        &self.current
    }

    /// The accepted secrets, starting with the current one.
    pub(crate) fn accepted(&self, with_previous: bool) -> impl Iterator<Item = &Secret> {
        let previous = if with_previous { self.previous() } else { &[] };
        std::iter::once(&self.current).chain(previous)
    }

    /// Returns the previous secrets, latest first.
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

    fn secret_problem(bytes: &str) -> String {
        Secret::new(bytes).unwrap_err().into_parts().1.into_owned()
    }

    fn list_problem(list: &str) -> String {
        SecretRing::parse(list)
            .unwrap_err()
            .into_parts()
            .1
            .into_owned()
    }

    #[test]
    fn weak_secrets_are_rejected() {
        for (bytes, problem) in [
            ("", "is empty"),
            ("better-auth-secret-12345678901234567890", "public default"),
            ("fifteen-bytes-x", "has 15 bytes"),
            ("long-enough-but-from-a-file\n", "line break"),
            ("long-enough-but-from-a-file\r", "line break"),
        ] {
            assert!(secret_problem(bytes).contains(problem), "{bytes}");
        }
        assert!(Secret::new("sixteen-bytes-xy").is_ok());
        assert!(Secret::dangerous_unchecked("x").is_ok());
        assert!(Secret::dangerous_unchecked("").is_err());
    }

    #[test]
    fn first_secret_of_a_list_is_current() {
        let ring =
            SecretRing::parse("1:first-secret:with:colons, 7:second-secret-of-the-list").unwrap();
        assert_eq!(ring.current().expose(), b"first-secret:with:colons");
        assert_eq!(ring.previous()[0].expose(), b"second-secret-of-the-list");
    }

    #[test]
    fn malformed_lists_name_the_entry() {
        for (list, problem) in [
            ("", "entry 1"),
            ("1:a-secret-of-this-deployment,two:another", "entry 2"),
            (
                "1:a-secret-of-this-deployment,1:another-secret-of-it",
                "version 1 twice",
            ),
            ("1:", "is empty"),
        ] {
            let found = list_problem(list);
            assert!(found.contains(problem), "{list}: {found}");
            assert!(!found.contains("deployment"), "{found}");
        }
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

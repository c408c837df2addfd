//! The opaque token that names a session.

use std::fmt;

/// A Better Auth session token, without a signature: whoever holds it *is* the session.
///
/// `Debug` shows nothing of it, and there is no comparison.
///
/// ```
/// use better_auth_layer::SessionToken;
///
/// let token = SessionToken::new("3PN0uDvcHdjaT3B3eiExfAgbimuvLkp9");
/// assert_eq!(format!("{token:?}"), "SessionToken(..)");
/// assert_eq!(token.expose().len(), 32);
/// ```
#[derive(Clone)]
pub struct SessionToken(String);

impl SessionToken {
    /// Takes the token as the `session` table holds it.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token itself, for comparing it in a store.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

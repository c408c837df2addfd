//! [`Session`]: a row of Better Auth's `session` table, and its token.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;

/// A session, as read from the store.
///
/// ```
/// use better_auth_layer::Session;
/// use better_auth_layer::clock::Timestamp;
///
/// let session = Session::new("ses_1", "usr_1", Timestamp::from_unix_seconds(1_796_039_042));
/// assert!(session.is_active_at(Timestamp::from_unix_seconds(1_796_039_041)));
/// assert!(!session.is_active_at(Timestamp::from_unix_seconds(1_796_039_042)));
/// ```
///
/// `Debug` shows only the ids.
#[derive(Clone)]
pub struct Session {
    id: Box<str>,
    user_id: Box<str>,
    expires_at: Timestamp,
    token: Option<SessionToken>,
    created_at: Option<Timestamp>,
    impersonated_by: Option<Box<str>>,
    active_organization_id: Option<Box<str>>,
}

impl Session {
    /// Creates a session with the required fields.
    #[must_use]
    pub fn new(
        id: impl Into<Box<str>>,
        user_id: impl Into<Box<str>>,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            user_id: user_id.into(),
            expires_at,
            token: None,
            created_at: None,
            impersonated_by: None,
            active_organization_id: None,
        }
    }

    /// Sets the session token, which Better Auth's cookie contains.
    #[must_use]
    pub fn with_token(mut self, token: SessionToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Sets the time of the sign-in.
    #[must_use]
    pub fn with_created_at(mut self, created_at: Timestamp) -> Self {
        self.created_at = Some(created_at);
        self
    }

    /// Sets the administrator who impersonates the user in this session.
    #[must_use]
    pub fn with_impersonated_by(mut self, admin_id: impl Into<Box<str>>) -> Self {
        self.impersonated_by = Some(admin_id.into());
        self
    }

    /// Sets the active organization of the session.
    #[must_use]
    pub fn with_active_organization_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.active_organization_id = Some(id.into());
        self
    }

    /// The session id, which is not the token.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the user.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// When the session expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether the session expires after `now`.
    #[must_use]
    pub fn is_active_at(&self, now: Timestamp) -> bool {
        self.expires_at > now
    }

    /// The session token. `None` if the store does not read it.
    #[must_use]
    pub fn token(&self) -> Option<&SessionToken> {
        self.token.as_ref()
    }

    /// When the user signed in. A refresh does not change it.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    /// Whether the user signed in less than `max_age` ago (Better Auth's fresh session).
    ///
    /// `false` if the sign-in time is unknown or in the future.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::Session;
    /// use better_auth_layer::clock::Timestamp;
    ///
    /// let at = Timestamp::from_unix_seconds;
    /// let session = Session::new("s", "u", at(900)).with_created_at(at(100));
    /// assert!(session.is_fresh_at(at(159), Duration::from_secs(60)));
    /// assert!(!session.is_fresh_at(at(160), Duration::from_secs(60)));
    /// ```
    #[must_use]
    pub fn is_fresh_at(&self, now: Timestamp, max_age: Duration) -> bool {
        self.created_at
            .is_some_and(|created| created <= now && created.abs_diff(now) < max_age)
    }

    /// The administrator who impersonates the user (Better Auth's admin plugin).
    #[must_use]
    pub fn impersonated_by(&self) -> Option<&str> {
        self.impersonated_by.as_deref()
    }

    /// The active organization of the session (Better Auth's organization plugin).
    #[must_use]
    pub fn active_organization_id(&self) -> Option<&str> {
        self.active_organization_id.as_deref()
    }

    /// Selects one of a user's active sessions, for credentials that do not name a session.
    ///
    /// Sessions without an impersonator come first, then the latest expiry, then the smallest id.
    /// The SQL stores of this crate use the same order. A store that keeps rows in memory can call
    /// this function.
    ///
    /// ```
    /// use better_auth_layer::Session;
    /// use better_auth_layer::clock::Timestamp;
    ///
    /// let at = Timestamp::from_unix_seconds;
    /// let sessions = [
    ///     Session::new("by-an-admin", "u", at(900)).with_impersonated_by("admin"),
    ///     Session::new("shorter", "u", at(200)),
    ///     Session::new("longer", "u", at(300)),
    ///     Session::new("ended", "u", at(99)),
    /// ];
    /// let preferred = Session::preferred(&sessions, at(100)).map(Session::id);
    /// assert_eq!(preferred, Some("longer"));
    /// ```
    pub fn preferred<'a>(
        sessions: impl IntoIterator<Item = &'a Self>,
        now: Timestamp,
    ) -> Option<&'a Self> {
        sessions
            .into_iter()
            .filter(|session| session.is_active_at(now))
            .min_by(|a, b| a.cmp_by_preference(b))
    }

    /// The preferred session is the smallest.
    pub(crate) fn cmp_by_preference(&self, other: &Self) -> Ordering {
        let is_impersonated = self.impersonated_by.is_some();
        is_impersonated
            .cmp(&other.impersonated_by.is_some())
            .then_with(|| other.expires_at.cmp(&self.expires_at))
            .then_with(|| self.id.cmp(&other.id))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// A Better Auth session token without its signature. The token is a secret: it grants the session.
///
/// `Debug` does not show the token. There is no `PartialEq`, so code cannot compare tokens in
/// variable time by accident.
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
    /// Creates a token from the text in the `session` table.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token, for the lookup in a store.
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

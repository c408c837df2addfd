//! A row of Better Auth's `session` table.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use super::SessionToken;
use crate::clock::Timestamp;

/// A session, as the store read it.
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
/// `Debug` shows the ids alone.
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
    /// A session with what every store must know.
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

    /// Sets the token by which Better Auth's cookie names the session.
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

    /// Marks the session as one that an administrator opened in the user's name.
    #[must_use]
    pub fn with_impersonated_by(mut self, admin_id: impl Into<Box<str>>) -> Self {
        self.impersonated_by = Some(admin_id.into());
        self
    }

    /// Sets the organization that is active in the session.
    #[must_use]
    pub fn with_active_organization_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.active_organization_id = Some(id.into());
        self
    }

    /// The session's id (not its token).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose session it is.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// When it ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether it has not ended yet. A session that ends now has ended.
    #[must_use]
    pub fn is_active_at(&self, now: Timestamp) -> bool {
        self.expires_at > now
    }

    /// The session's token. `None` where the table has no such column.
    #[must_use]
    pub fn token(&self) -> Option<&SessionToken> {
        self.token.as_ref()
    }

    /// When the user signed in; a refresh does not move it.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    /// Whether the user signed in less than `max_age` ago: what Better Auth calls a fresh session. One whose age is not
    /// known, or that is from the future, is not fresh.
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

    /// The administrator who acts as the user in this session (Better Auth's admin plugin).
    #[must_use]
    pub fn impersonated_by(&self) -> Option<&str> {
        self.impersonated_by.as_deref()
    }

    /// The organization that is active in the session (Better Auth's organization plugin).
    #[must_use]
    pub fn active_organization_id(&self) -> Option<&str> {
        self.active_organization_id.as_deref()
    }

    /// Which of a user's active sessions stands for the user where the credential names none: one of the user's own
    /// before an impersonated one, then the one that lasts longest, then the first id.
    ///
    /// The stores of this crate follow it in SQL; a store that holds rows in memory can call it.
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

    /// The less, the better.
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

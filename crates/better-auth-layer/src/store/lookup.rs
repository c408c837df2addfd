//! What a store is asked.

use std::borrow::Cow;
use std::fmt;

use super::EmailKey;
use crate::api_key::{ApiKey, ApiKeyHash};
use crate::clock::Timestamp;
use crate::identity::{Session, SessionToken, User};

/// One question to a store: which user, which session, and what time it is.
///
/// Borrowed while it is asked without waiting ([`UserStore::try_resolve`](crate::UserStore::try_resolve)), owned when
/// a future takes it along. `Debug` shows the kind of the key, never the key.
///
/// ```
/// use better_auth_layer::Lookup;
/// use better_auth_layer::clock::Timestamp;
/// use better_auth_layer::store::LookupKey;
///
/// let lookup = Lookup::by_email("ada@example.com", Timestamp::from_unix_seconds(1_795_434_242));
/// assert!(matches!(lookup.key(), LookupKey::Email(email) if email.as_str() == "ada@example.com"));
/// assert_eq!(lookup.session_id(), None);
/// ```
#[derive(Clone)]
pub struct Lookup<'a> {
    key: LookupKey<'a>,
    session_id: Option<Cow<'a, str>>,
    now: Timestamp,
}

impl<'a> Lookup<'a> {
    /// The user with an e-mail address.
    #[must_use]
    pub fn by_email(address: impl Into<Cow<'a, str>>, now: Timestamp) -> Self {
        Self::new(LookupKey::Email(EmailKey::new(address)), now)
    }

    /// The user with an id.
    #[must_use]
    pub fn by_user_id(id: impl Into<Cow<'a, str>>, now: Timestamp) -> Self {
        Self::new(LookupKey::UserId(id.into()), now)
    }

    /// The session with a token, and its user.
    #[must_use]
    pub fn by_session_token(token: &'a SessionToken, now: Timestamp) -> Self {
        Self::new(LookupKey::SessionToken(Cow::Borrowed(token)), now)
    }

    /// The API key with a hash, and its owner.
    #[must_use]
    pub fn by_api_key(hash: &'a ApiKeyHash, now: Timestamp) -> Self {
        Self::new(LookupKey::ApiKey(Cow::Borrowed(hash)), now)
    }

    fn new(key: LookupKey<'a>, now: Timestamp) -> Self {
        Self {
            key,
            session_id: None,
            now,
        }
    }

    /// Accepts no other session than the one with this id.
    #[must_use]
    pub fn with_session_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// The same question at another time.
    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// What is asked for.
    #[must_use]
    pub fn key(&self) -> &LookupKey<'a> {
        &self.key
    }

    /// The one session that counts, where the credential names one.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The time to judge expiry by. Stores read no clock of their own.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether a user and a session are an answer to this question: the right user, that user's session, the session
    /// that was named, if one was.
    ///
    /// The layer checks it on every answer, whatever the store is; behind a pooler that shares connections, an answer
    /// may be somebody else's.
    #[must_use]
    pub fn is_answered_by(&self, user: &User, session: &Session) -> bool {
        let key_matches = match &self.key {
            LookupKey::Email(email) => email.matches(user.email()),
            LookupKey::UserId(id) => id == user.id(),
            LookupKey::SessionToken(token) => session
                .token()
                .is_some_and(|found| found.expose() == token.expose()),
            // An API key is answered by a key.
            LookupKey::ApiKey(_) => false,
        };
        let session_matches = self.session_id().is_none_or(|id| id == session.id());
        key_matches && session_matches && session.user_id() == user.id()
    }

    /// Whether a user and an API key are an answer to this question: the key that was sent, and its owner.
    #[must_use]
    pub fn is_answered_by_api_key(&self, user: &User, key: &ApiKey) -> bool {
        matches!(&self.key, LookupKey::ApiKey(hash) if **hash == *key.hash())
            && key.reference_id() == user.id()
    }

    /// The same question with keys of its own.
    #[must_use]
    pub fn into_owned(self) -> Lookup<'static> {
        Lookup {
            key: match self.key {
                LookupKey::Email(email) => LookupKey::Email(email.into_owned()),
                LookupKey::UserId(id) => LookupKey::UserId(Cow::Owned(id.into_owned())),
                LookupKey::SessionToken(token) => {
                    LookupKey::SessionToken(Cow::Owned(token.into_owned()))
                }
                LookupKey::ApiKey(hash) => LookupKey::ApiKey(Cow::Owned(hash.into_owned())),
            },
            session_id: self.session_id.map(|id| Cow::Owned(id.into_owned())),
            now: self.now,
        }
    }
}

impl fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("kind", &self.key.kind())
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// What a user or a session is looked up by.
///
/// ```
/// use better_auth_layer::store::LookupKey;
///
/// /// Where a store of one's own would look.
/// fn path(key: &LookupKey<'_>) -> Option<String> {
///     match key {
///         LookupKey::UserId(id) => Some(format!("users/by-id/{id}")),
///         LookupKey::Email(email) => Some(format!("users/by-email/{}", email.to_lowercase())),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum LookupKey<'a> {
    /// The user's e-mail address.
    Email(EmailKey<'a>),
    /// The user's id.
    UserId(Cow<'a, str>),
    /// The session's token.
    SessionToken(Cow<'a, SessionToken>),
    /// The hash of an API key.
    ApiKey(Cow<'a, ApiKeyHash>),
}

impl LookupKey<'_> {
    /// Which kind of key this is.
    #[must_use]
    pub fn kind(&self) -> LookupKind {
        match self {
            Self::Email(_) => LookupKind::Email,
            Self::UserId(_) => LookupKind::UserId,
            Self::SessionToken(_) => LookupKind::SessionToken,
            Self::ApiKey(_) => LookupKind::ApiKey,
        }
    }
}

impl fmt::Debug for LookupKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookupKey::{:?}(..)", self.kind())
    }
}

/// The kinds of [`LookupKey`], for [`UserStore::supports`](crate::UserStore::supports).
///
/// ```
/// use better_auth_layer::Lookup;
/// use better_auth_layer::clock::Timestamp;
/// use better_auth_layer::store::LookupKind;
///
/// let lookup = Lookup::by_user_id("usr_1", Timestamp::UNIX_EPOCH);
/// assert_eq!(lookup.key().kind(), LookupKind::UserId);
/// assert_eq!(LookupKind::UserId.as_str(), "user_id");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LookupKind {
    /// By e-mail address.
    Email,
    /// By user id.
    UserId,
    /// By session token.
    SessionToken,
    /// By API key.
    ApiKey,
}

impl LookupKind {
    /// The name used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::UserId => "user_id",
            Self::SessionToken => "session_token",
            Self::ApiKey => "api_key",
        }
    }
}

impl fmt::Display for LookupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "by e-mail address",
            Self::UserId => "by user id",
            Self::SessionToken => "by session token",
            Self::ApiKey => "by API key",
        })
    }
}

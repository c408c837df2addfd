//! The key of a lookup, and the checks that a result matches it.

use std::borrow::Cow;
use std::fmt;

use crate::api_key::{ApiKey, ApiKeyHash};
use crate::clock::Timestamp;
use crate::identity::{Session, SessionToken, User};

/// A lookup in a store: the key, an optional session id, and the time.
///
/// [`UserStore::try_resolve`](crate::UserStore::try_resolve) gets a borrowed lookup. A future that
/// outlives the request needs an [owned](Self::into_owned) one. `Debug` prints the kind of the key,
/// never the key.
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
    /// A lookup of the user with an email.
    #[must_use]
    pub fn by_email(email: impl Into<Cow<'a, str>>, now: Timestamp) -> Self {
        Self::new(LookupKey::Email(EmailKey::new(email)), now)
    }

    /// A lookup of the user with an id.
    #[must_use]
    pub fn by_user_id(id: impl Into<Cow<'a, str>>, now: Timestamp) -> Self {
        Self::new(LookupKey::UserId(id.into()), now)
    }

    /// A lookup of the session with a token, and of its user.
    #[must_use]
    pub fn by_session_token(token: &'a SessionToken, now: Timestamp) -> Self {
        Self::new(LookupKey::SessionToken(Cow::Borrowed(token)), now)
    }

    /// A lookup of the API key with a hash, and of its owner.
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

    /// Restricts the lookup to the session with this id.
    #[must_use]
    pub fn with_session_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// The same lookup with another time.
    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// The lookup key.
    #[must_use]
    pub fn key(&self) -> &LookupKey<'a> {
        &self.key
    }

    /// The id of the only acceptable session, if the credential contains one.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The time at which expiry is evaluated. Stores do not read a clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether a user and a session match this lookup: the user or the session has the lookup key,
    /// the session belongs to the user, and it has the [session id](Self::session_id), if there is
    /// one.
    ///
    /// The layer checks this for every result of every store. Behind a pooler that shares
    /// connections, a result can belong to another query.
    #[must_use]
    pub fn is_answered_by(&self, user: &User, session: &Session) -> bool {
        let key_matches = match &self.key {
            LookupKey::Email(email) => email.matches(user.email()),
            LookupKey::UserId(id) => id == user.id(),
            LookupKey::SessionToken(token) => session
                .token()
                .is_some_and(|found| found.expose() == token.expose()),
            // Matches only `is_answered_by_api_key`.
            LookupKey::ApiKey(_) => false,
        };
        let session_matches = self.session_id().is_none_or(|id| id == session.id());
        key_matches && session_matches && session.user_id() == user.id()
    }

    /// Whether a user and an API key match this lookup: the key has the hash, and the user owns it.
    #[must_use]
    pub fn is_answered_by_api_key(&self, user: &User, key: &ApiKey) -> bool {
        matches!(&self.key, LookupKey::ApiKey(hash) if **hash == *key.hash())
            && key.reference_id() == user.id()
    }

    /// The same lookup with owned strings.
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

/// The key of a [`Lookup`].
///
/// ```
/// use better_auth_layer::store::LookupKey;
///
/// /// The endpoint of a user service.
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
    /// The user's email.
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

/// An email to look up.
///
/// Better Auth stores emails in lower case; other applications may not. A store therefore searches
/// two spellings: the email [as given](Self::as_str) and its [lower-case form](Self::to_lowercase).
/// If both exist, the row with the given spelling wins. Only ASCII letters are folded, because
/// Unicode case mapping would merge different mailboxes.
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
    /// Makes the key for an email.
    #[must_use]
    pub fn new(email: impl Into<Cow<'a, str>>) -> Self {
        let as_str = email.into();
        let lower_cased = as_str
            .bytes()
            .any(|byte| byte.is_ascii_uppercase())
            .then(|| as_str.to_ascii_lowercase());
        Self {
            as_str,
            lower_cased,
        }
    }

    /// The email as given in the credential.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.as_str
    }

    /// The email in lower case.
    #[must_use]
    pub fn to_lowercase(&self) -> &str {
        self.lower_cased.as_deref().unwrap_or(&self.as_str)
    }

    /// Whether a row's email is exactly one of the two spellings. A column with case-insensitive
    /// comparison (`citext`, `NOCASE`) may return a third spelling, which belongs to another user.
    #[must_use]
    pub fn matches(&self, email: &str) -> bool {
        email == self.as_str() || email == self.to_lowercase()
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
    /// By email.
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
            Self::Email => "by email",
            Self::UserId => "by user id",
            Self::SessionToken => "by session token",
            Self::ApiKey => "by API key",
        })
    }
}

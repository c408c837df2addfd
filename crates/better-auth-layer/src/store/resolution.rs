//! The result of a lookup.

use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::identity::{Session, User};

/// The result of a [`Lookup`](crate::Lookup). A failed lookup is a
/// [`StoreError`](crate::StoreError), never a `Resolution`.
///
/// ```
/// use better_auth_layer::{Resolution, Session, User};
/// use better_auth_layer::clock::Timestamp;
///
/// /// Converts the rows of a query.
/// fn resolution(user: Option<User>, session: Option<Session>) -> Resolution {
///     match (user, session) {
///         (Some(user), Some(session)) => Resolution::found(user, session),
///         (Some(_), None) => Resolution::NoActiveSession,
///         (None, _) => Resolution::UserNotFound,
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Resolution {
    /// The user and an active session. Made with [`found`](Self::found).
    #[non_exhaustive]
    Found {
        /// The user.
        user: Arc<User>,
        /// The session with the lookup's token or session id, otherwise the one that
        /// [`Session::preferred`] selects.
        session: Arc<Session>,
    },
    /// An API key and its owner. Made with [`found_api_key`](Self::found_api_key).
    #[non_exhaustive]
    FoundApiKey {
        /// The owner.
        user: Arc<User>,
        /// The key.
        api_key: Arc<ApiKey>,
    },
    /// There is no such API key.
    ApiKeyNotFound,
    /// There is no such user. In a lookup by session token or API key: its user no longer exists.
    UserNotFound,
    /// The user has no active session, or the session with the lookup's session id is not active.
    /// In a lookup by session token: there is no such session, or it has ended.
    NoActiveSession,
}

impl Resolution {
    /// A user and a session, owned or shared.
    #[must_use]
    pub fn found(user: impl Into<Arc<User>>, session: impl Into<Arc<Session>>) -> Self {
        Self::Found {
            user: user.into(),
            session: session.into(),
        }
    }

    /// An API key and its owner, owned or shared.
    #[must_use]
    pub fn found_api_key(user: impl Into<Arc<User>>, api_key: impl Into<Arc<ApiKey>>) -> Self {
        Self::FoundApiKey {
            user: user.into(),
            api_key: api_key.into(),
        }
    }
}

//! What a store answers.

use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::identity::{Session, User};

/// A store's answer to a [`Lookup`](crate::Lookup). That it could *not* answer is a
/// [`StoreError`](crate::StoreError), never one of these.
///
/// ```
/// use better_auth_layer::{Resolution, Session, User};
/// use better_auth_layer::clock::Timestamp;
///
/// /// What was read from a table of one's own.
/// fn answer(user: Option<User>, session: Option<Session>) -> Resolution {
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
        /// The session: the one that was asked for, else the one that [`Session::preferred`] chooses.
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
    /// There is no such user; looked up by session token or API key: its user is gone.
    UserNotFound,
    /// The user has no active session, or not the one that was asked for; looked up by session token: there is no
    /// such session, or it has ended.
    NoActiveSession,
}

impl Resolution {
    /// Both were found. Takes them owned or shared.
    #[must_use]
    pub fn found(user: impl Into<Arc<User>>, session: impl Into<Arc<Session>>) -> Self {
        Self::Found {
            user: user.into(),
            session: session.into(),
        }
    }

    /// The API key that was asked for, with its owner. Takes them owned or shared.
    #[must_use]
    pub fn found_api_key(user: impl Into<Arc<User>>, api_key: impl Into<Arc<ApiKey>>) -> Self {
        Self::FoundApiKey {
            user: user.into(),
            api_key: api_key.into(),
        }
    }
}

//! What a store answers.

use std::sync::Arc;

use crate::identity::{Session, User};

/// A store's answer to a [`Lookup`](crate::Lookup). That it could *not* answer is a
/// [`StoreError`](crate::StoreError), never one of these.
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
    /// There is no such user; looked up by session token: the session's user is gone.
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
}

//! The trait behind which users and sessions live.

use std::sync::Arc;

use super::{Lookup, LookupKind, Resolution, StoreError};
use crate::clock::Timestamp;
use crate::diagnostics::Check;

/// Looks up a user and an active session.
///
/// `Ok` is knowledge: [`Resolution::UserNotFound`] becomes `404`, and a client may conclude that it has to sign in.
/// `Err` means that nobody knows, and becomes `503`: a database outage must never look like a sign-out. Do not turn
/// one into the other.
///
/// A store answers with what it has; the layer judges expiry, bans and whether the answer is one to the question, once
/// more and for every store.
///
/// ```
/// use better_auth_layer::{Lookup, Resolution, Session, StoreError, User, UserStore};
/// use better_auth_layer::store::{LookupKey, LookupKind};
///
/// /// One user, for a test.
/// struct OnlyAda {
///     ada: User,
///     session: Session,
/// }
///
/// impl UserStore for OnlyAda {
///     async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
///         Ok(match lookup.key() {
///             LookupKey::Email(email) if email.matches(self.ada.email()) => {
///                 Resolution::found(self.ada.clone(), self.session.clone())
///             }
///             _ => Resolution::UserNotFound,
///         })
///     }
///
///     fn supports(&self, kind: LookupKind) -> bool {
///         kind == LookupKind::Email
///     }
/// }
/// ```
pub trait UserStore: Send + Sync + 'static {
    /// Looks up the user and a session that is active at [`lookup.now()`](Lookup::now), in one round trip. Where the
    /// lookup [names a session](Lookup::session_id), it is that one or none; any other answer is a `503`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot know the answer.
    fn resolve(
        &self,
        lookup: Lookup<'_>,
    ) -> impl Future<Output = Result<Resolution, StoreError>> + Send;

    /// The answer, where the store has it at hand without waiting. Asked before [`resolve`](Self::resolve) and before
    /// anything is allocated for it. The default has none.
    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        let _ = lookup;
        None
    }

    /// Whether the store can answer a kind of lookup. Building the layer fails where a configured credential needs one
    /// that it cannot. The default: by e-mail address, user id and session token, not by API key.
    fn supports(&self, kind: LookupKind) -> bool {
        matches!(
            kind,
            LookupKind::Email | LookupKind::UserId | LookupKind::SessionToken
        )
    }

    /// Whether the store can answer at all; for readiness probes. The default asks for a user that nobody is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot.
    fn ready(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async {
            let nobody = Lookup::by_user_id("", Timestamp::UNIX_EPOCH);
            if self.supports(LookupKind::UserId) {
                self.resolve(nobody).await?;
            }
            Ok(())
        }
    }

    /// What there is to say about the store before anybody is let in, with the remedy for what is wrong;
    /// [`Authenticator::diagnose`](crate::Authenticator::diagnose) shows it. The default says whether [`ready`](Self::ready)
    /// succeeds.
    fn diagnose(&self) -> impl Future<Output = Vec<Check>> + Send {
        async {
            vec![match self.ready().await {
                Ok(()) => Check::ok("store", "answers"),
                Err(error) => error.finding("store"),
            }]
        }
    }

    /// The time by the store's own clock, where it is another one than this machine's: it wrote the times by which
    /// sessions end. [`Authenticator::diagnose`](crate::Authenticator::diagnose) compares the two. The default has none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be known.
    fn server_time(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send {
        async { Ok(None) }
    }
}

/// A shared store, so that a test can keep hold of the one it gave to the layer.
impl<S: UserStore> UserStore for Arc<S> {
    fn resolve(
        &self,
        lookup: Lookup<'_>,
    ) -> impl Future<Output = Result<Resolution, StoreError>> + Send {
        S::resolve(self, lookup)
    }

    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        S::try_resolve(self, lookup)
    }

    fn supports(&self, kind: LookupKind) -> bool {
        S::supports(self, kind)
    }

    fn ready(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        S::ready(self)
    }

    fn diagnose(&self) -> impl Future<Output = Vec<Check>> + Send {
        S::diagnose(self)
    }

    fn server_time(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send {
        S::server_time(self)
    }
}

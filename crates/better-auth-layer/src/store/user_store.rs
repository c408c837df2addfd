//! The store trait, and its type-erased form inside the crate.

use std::pin::Pin;
use std::sync::Arc;

use super::{Lookup, LookupKind, Resolution, StoreError};
use crate::clock::Timestamp;
use crate::diagnostics::Check;

/// Looks up a user and an active session.
///
/// `Ok` means that the store knows the result: [`Resolution::UserNotFound`] becomes `404`, and a
/// client may conclude that it has to sign in. `Err` means that the result is unknown, and becomes
/// `503`: a database outage must never look like a sign-out. Do not convert one to the other.
///
/// The layer validates every result, regardless of the store: it checks expiry and bans, and that
/// the result matches the lookup.
///
/// ```
/// use better_auth_layer::{Lookup, Resolution, Session, StoreError, User, UserStore};
/// use better_auth_layer::store::{LookupKey, LookupKind};
///
/// /// A store with one user, for a test.
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
    /// Looks up the user and a session that is active at [`lookup.now()`](Lookup::now), in one
    /// round trip. If the lookup has a [session id](Lookup::session_id), only that session may be
    /// returned; any other session results in `503`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the result is unknown.
    fn resolve(
        &self,
        lookup: Lookup<'_>,
    ) -> impl Future<Output = Result<Resolution, StoreError>> + Send;

    /// Returns the result if it is available without waiting. Called before
    /// [`resolve`](Self::resolve), with a borrowed lookup. The default returns `None`.
    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        let _ = lookup;
        None
    }

    /// Whether the store supports a kind of lookup. Building the layer fails if a configured
    /// credential needs a lookup that the store does not support. The default supports lookups by
    /// email, user id and session token, but not by API key.
    fn supports(&self, kind: LookupKind) -> bool {
        matches!(
            kind,
            LookupKind::Email | LookupKind::UserId | LookupKind::SessionToken
        )
    }

    /// Checks that the store can run lookups, for readiness probes. The default looks up a user id
    /// that does not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot.
    fn ready(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async {
            if self.supports(LookupKind::UserId) {
                let unknown = Lookup::by_user_id("", Timestamp::UNIX_EPOCH);
                self.resolve(unknown).await?;
            }
            Ok(())
        }
    }

    /// Checks the store for [`Authenticator::diagnose`](crate::Authenticator::diagnose), with a
    /// remedy for each problem. The default reports the result of [`ready`](Self::ready).
    fn diagnose(&self) -> impl Future<Output = Vec<Check>> + Send {
        async {
            vec![match self.ready().await {
                Ok(()) => Check::ok("store", "answers"),
                Err(error) => error.finding("store"),
            }]
        }
    }

    /// Returns the time of the database server, whose clock determines when sessions expire.
    /// [`Authenticator::diagnose`](crate::Authenticator::diagnose) compares it with this machine's
    /// clock. The default returns `None`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the server does not return its time.
    fn server_time(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send {
        async { Ok(None) }
    }
}

/// A shared store: a test can keep a handle to the store that it gives to the layer.
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

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The object-safe form of [`UserStore`], with boxed `'static` futures.
pub(crate) trait DynUserStore: Send + Sync + 'static {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>>;
    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution>;
    fn supports(&self, kind: LookupKind) -> bool;
    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>>;
    /// Never fails; the error type is there for the caller's timeout.
    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>>;
    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>>;
}

impl<S: UserStore> DynUserStore for S {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>> {
        Box::pin(async move { UserStore::resolve(&*self, lookup).await })
    }

    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        UserStore::try_resolve(self, lookup)
    }

    fn supports(&self, kind: LookupKind) -> bool {
        UserStore::supports(self, kind)
    }

    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>> {
        Box::pin(async move { UserStore::ready(&*self).await })
    }

    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>> {
        Box::pin(async move { Ok(UserStore::diagnose(&*self).await) })
    }

    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>> {
        Box::pin(async move { UserStore::server_time(&*self).await })
    }
}

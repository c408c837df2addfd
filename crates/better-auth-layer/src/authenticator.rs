//! Extract, verify, resolve: a request's head in, an identity or a rejection out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::request;

use crate::clock::{Clock, Timestamp};
use crate::credential::{self, Credential, InvalidReason};
use crate::identity::{CredentialKind, Identity, Session, User};
use crate::rejection::{Rejection, RejectionKind};
use crate::store::{
    DynUserStore, Lookup, Resolution, StoreError, StoreErrorKind, catch_panic, within,
};
use crate::verify::{SecretJwtVerifier, VerifiedToken};

/// Decides who sent a request, without Tower and without touching a body.
///
/// [`BetterAuthLayer`](crate::BetterAuthLayer) does this for every request. Code that has no Tower service at hand, such
/// as the handler of a WebSocket upgrade, asks directly:
///
/// ```
/// use better_auth_layer::{Authenticator, Identity, Rejection};
///
/// async fn upgrade(auth: &Authenticator, parts: &http::request::Parts) -> Result<Identity, Rejection> {
///     let identity = auth.authenticate(parts).await?;
///     println!("user_id={}", identity.user().id());
///     Ok(identity)
/// }
/// ```
#[derive(Clone)]
pub struct Authenticator {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<dyn DynUserStore>,
    pub(crate) secret_jwt: SecretJwtVerifier,
    pub(crate) require_matching_subject: bool,
    pub(crate) require_verified_email: bool,
    pub(crate) lookup_timeout: Duration,
    pub(crate) retry_after: Duration,
}

impl Authenticator {
    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Authenticates a request by its head.
    ///
    /// Everything that needs no waiting has happened when this returns; the future owns what it needs and keeps no
    /// borrow of the request. Dropping it cancels the lookup.
    ///
    /// # Errors
    ///
    /// The future yields a [`Rejection`] when the request may not pass or when that cannot be known.
    pub fn authenticate(&self, parts: &request::Parts) -> Authenticate {
        let now = self.inner.clock.now();
        let state = match self.verify(parts, now) {
            Err(rejection) => State::Ready(Some(Err(rejection))),
            Ok(token) => self.resolve(token, now),
        };
        Authenticate { state }
    }

    /// Whether the store can answer; for readiness probes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot, or not within the lookup timeout.
    pub async fn check_store(&self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.inner.store);
        within(self.inner.lookup_timeout, move || store.check()).await
    }

    fn verify(&self, parts: &request::Parts, now: Timestamp) -> Result<VerifiedToken, Rejection> {
        let invalid = |reason: InvalidReason, kid: Option<&str>| {
            // A kid is the sender's text: Debug escapes control characters, so it cannot forge a line of the log.
            let kid = kid.map(|kid| kid.chars().take(64).collect::<String>());
            tracing::info!(
                outcome = RejectionKind::InvalidCredential.as_str(),
                %reason,
                kid = ?kid,
                remedy = reason.remedy(),
                "credential refused"
            );
            Rejection::new(RejectionKind::InvalidCredential)
        };
        match credential::extract(&parts.headers) {
            Err(reason) => Err(invalid(reason, None)),
            Ok(None) => {
                tracing::debug!(
                    outcome = RejectionKind::MissingCredential.as_str(),
                    "request without a credential"
                );
                Err(Rejection::new(RejectionKind::MissingCredential))
            }
            Ok(Some(Credential::Bearer(token))) => self
                .inner
                .secret_jwt
                .verify(token.expose(), now)
                .map_err(|refused| invalid(refused.reason, refused.kid.as_deref())),
        }
    }

    fn resolve(&self, token: VerifiedToken, now: Timestamp) -> State {
        let lookup = lookup(&token, now);
        match catch_panic(|| self.inner.store.resolve_now(&lookup)) {
            Ok(Some(resolution)) => {
                State::Ready(Some(self.inner.judge(token, Ok(resolution), now)))
            }
            Err(error) => State::Ready(Some(self.inner.judge(token, Err(error), now))),
            Ok(None) => {
                let inner = Arc::clone(&self.inner);
                let lookup = lookup.into_owned();
                State::Resolving(Box::pin(async move {
                    let store = Arc::clone(&inner.store);
                    let resolution =
                        within(inner.lookup_timeout, move || store.resolve(lookup)).await;
                    // A slow lookup may outlive the token; what counts is whether it is good when the request passes.
                    let now = inner.clock.now();
                    inner.judge(token, resolution, now)
                }))
            }
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("secret_jwt", &self.inner.secret_jwt)
            .field("lookup_timeout", &self.inner.lookup_timeout)
            .finish_non_exhaustive()
    }
}

fn lookup(token: &VerifiedToken, now: Timestamp) -> Lookup<'_> {
    let lookup = Lookup::by_email(&*token.email, now);
    match &token.session_id {
        Some(id) => lookup.with_session_id(&**id),
        None => lookup,
    }
}

impl Inner {
    /// Judges what the store said. No store is trusted to compare, to look at the clock or to know about bans.
    fn judge(
        &self,
        token: VerifiedToken,
        resolution: Result<Resolution, StoreError>,
        now: Timestamp,
    ) -> Result<Identity, Rejection> {
        let (user, session) = match resolution {
            Err(error) => return Err(self.unavailable(&error)),
            Ok(Resolution::UserNotFound) => return Err(refused(RejectionKind::UserNotFound, None)),
            Ok(Resolution::NoActiveSession) => {
                return Err(refused(RejectionKind::NoActiveSession, None));
            }
            Ok(Resolution::Found { user, session }) => (user, session),
        };
        if !lookup(&token, now).is_answered_by(&user, &session) {
            return Err(self.unavailable(&StoreErrorKind::WrongAnswer.into()));
        }
        if token.expires_at <= now {
            return Err(distrusted(InvalidReason::Expired, &user));
        }
        self.check_subject(&token, &user)?;
        if self.require_verified_email && !user.email_verified() {
            return Err(distrusted(InvalidReason::EmailNotVerified, &user));
        }
        if user.is_banned_at(now) {
            return Err(refused(RejectionKind::UserBanned, Some(&user)));
        }
        if !session.is_active_at(now) {
            return Err(refused(RejectionKind::NoActiveSession, Some(&user)));
        }
        let credential = CredentialKind::SecretJwt;
        tracing::debug!(
            outcome = "authenticated",
            credential = credential.as_str(),
            user_id = user.id(),
            "request authenticated"
        );
        Ok(identity(user, session, credential, token))
    }

    fn check_subject(&self, token: &VerifiedToken, user: &User) -> Result<(), Rejection> {
        let subject = token.subject.as_deref();
        if subject == Some(user.id()) {
            return Ok(());
        }
        if self.require_matching_subject {
            return Err(distrusted(InvalidReason::SubjectMismatch, user));
        }
        // Many minting snippets write the address into `sub`; that says nothing about the id.
        if subject.is_some_and(|subject| !subject.eq_ignore_ascii_case(user.email())) {
            tracing::warn!(
                user_id = user.id(),
                "the token's `sub` is not the id of the user with its e-mail address; the address decides unless `require_matching_subject` is set"
            );
        }
        Ok(())
    }

    fn unavailable(&self, error: &StoreError) -> Rejection {
        tracing::error!(
            outcome = RejectionKind::Unavailable.as_str(),
            kind = error.kind().as_str(),
            error = format!("{error:#}"),
            "user store failed"
        );
        Rejection::new(RejectionKind::Unavailable).with_retry_after(self.retry_after)
    }
}

fn identity(
    user: Arc<User>,
    session: Arc<Session>,
    credential: CredentialKind,
    token: VerifiedToken,
) -> Identity {
    Identity::from_token(user, session, credential, token.claims, token.expires_at)
}

fn refused(kind: RejectionKind, user: Option<&User>) -> Rejection {
    tracing::info!(
        outcome = kind.as_str(),
        user_id = user.map(User::id),
        "request refused"
    );
    Rejection::new(kind)
}

fn distrusted(reason: InvalidReason, user: &User) -> Rejection {
    let kind = RejectionKind::InvalidCredential;
    tracing::info!(
        outcome = kind.as_str(),
        %reason,
        user_id = user.id(),
        "credential refused"
    );
    Rejection::new(kind)
}

/// The future of [`Authenticator::authenticate`].
pub struct Authenticate {
    state: State,
}

enum State {
    Ready(Option<Result<Identity, Rejection>>),
    Resolving(Pin<Box<dyn Future<Output = Result<Identity, Rejection>> + Send>>),
}

impl Future for Authenticate {
    type Output = Result<Identity, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            // Polled again after it was ready, it stays silent rather than let anybody in.
            State::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            State::Resolving(future) => {
                let result = std::task::ready!(future.as_mut().poll(cx));
                self.state = State::Ready(None);
                Poll::Ready(result)
            }
        }
    }
}

impl fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate").finish_non_exhaustive()
    }
}

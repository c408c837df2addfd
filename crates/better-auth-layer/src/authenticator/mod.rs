//! Extract, verify, resolve: a request's head in, an identity or a rejection out.

mod judge;
mod sessions;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::request;

use self::judge::{invalid, lookup, refused};
pub(crate) use self::sessions::Sessions;
use self::sessions::{AwaitedCache, SessionStep};
use crate::clock::{Clock, Timestamp};
use crate::credential::{BearerForm, Credential, Sources};
use crate::identity::{ApiKeyHash, CredentialKind, Identity};
use crate::rejection::{Rejection, RejectionKind};
use crate::store::{DynUserStore, Resolution, StoreError, catch_panic, within};
use crate::verify::{AwaitedKey, JwtStep, JwtVerifier, Subject, Verified, VerifyError};

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
    pub(crate) sources: Sources,
    pub(crate) jwts: JwtVerifier,
    pub(crate) sessions: Sessions,
    /// The configurations of the API-key plugin whose keys are accepted.
    pub(crate) api_key_configurations: Vec<String>,
    pub(crate) require_matching_subject: bool,
    pub(crate) require_verified_email: bool,
    pub(crate) lookup_timeout: Duration,
    pub(crate) retry_after: Duration,
}

/// How far a request has come without waiting.
enum Step {
    Verified(Verified),
    /// Verified, and its user and session are known already.
    Resolved(Verified, Resolution),
    AwaitsKey {
        token: String,
        awaited: AwaitedKey,
    },
    AwaitsCache(AwaitedCache),
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
        let state = match self.inner.verify(parts, now) {
            Err(rejection) => State::Ready(Some(Err(rejection))),
            Ok(Step::Resolved(verified, resolution)) => {
                State::Ready(Some(self.inner.judge(verified, Ok(resolution), now)))
            }
            Ok(Step::Verified(verified)) => self.resolve(verified, now),
            Ok(Step::AwaitsKey { token, awaited }) => {
                let inner = Arc::clone(&self.inner);
                State::Waiting(Box::pin(async move {
                    let verified = inner
                        .jwts
                        .verify_fetched(&token, awaited, || inner.clock.now())
                        .await
                        .map_err(|error| inner.unverified(error))?;
                    inner.resolve(verified).await
                }))
            }
            Ok(Step::AwaitsCache(awaited)) => {
                let inner = Arc::clone(&self.inner);
                State::Waiting(Box::pin(async move {
                    let step = inner
                        .sessions
                        .read_fetched(awaited, || inner.clock.now())
                        .await;
                    match step {
                        SessionStep::Resolved(verified, resolution) => {
                            let now = inner.clock.now();
                            inner.judge(verified, Ok(resolution), now)
                        }
                        SessionStep::Verified(verified) => inner.resolve(verified).await,
                        // What was waited for is not waited for again.
                        SessionStep::AwaitsCache(awaited) => {
                            inner.resolve(awaited.into_verified()).await
                        }
                    }
                }))
            }
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

    fn resolve(&self, verified: Verified, now: Timestamp) -> State {
        let inner = &self.inner;
        match catch_panic(|| inner.store.resolve_now(&lookup(&verified, now))) {
            Ok(Some(resolution)) => State::Ready(Some(inner.judge(verified, Ok(resolution), now))),
            Err(error) => State::Ready(Some(inner.judge(verified, Err(error), now))),
            Ok(None) => {
                let inner = Arc::clone(inner);
                State::Waiting(Box::pin(async move { inner.resolve(verified).await }))
            }
        }
    }
}

impl Inner {
    fn verify(&self, parts: &request::Parts, now: Timestamp) -> Result<Step, Rejection> {
        match self.sources.extract(&parts.headers) {
            Err(reason) => Err(invalid(reason, None)),
            Ok(None) => {
                tracing::debug!(
                    outcome = RejectionKind::MissingCredential.as_str(),
                    "request without a credential"
                );
                Err(Rejection::new(RejectionKind::MissingCredential))
            }
            Ok(Some(Credential::Bearer(token))) => self
                .verify_bearer(token.form(), now)
                .map_err(|error| self.unverified(error)),
            Ok(Some(Credential::ApiKey(key))) => {
                let subject = Subject::ApiKey(ApiKeyHash::of(key.expose()));
                Ok(Step::Verified(Verified::naming(
                    CredentialKind::ApiKey,
                    subject,
                )))
            }
            Ok(Some(Credential::SessionCookie(value))) => {
                if !self.sessions.guard.allows(parts) {
                    return Err(refused(RejectionKind::CrossOrigin, None));
                }
                let step = self.sessions.read_cookie(&value, &parts.headers, now);
                Ok(step.map_err(|reason| invalid(reason, None))?.into())
            }
        }
    }

    fn verify_bearer(&self, form: BearerForm<'_>, now: Timestamp) -> Result<Step, VerifyError> {
        let (kind, token) = match form {
            BearerForm::Jws(token) => {
                return Ok(match self.jwts.verify(token, now)? {
                    JwtStep::Verified(verified) => Step::Verified(verified),
                    JwtStep::AwaitsKey(awaited) => Step::AwaitsKey {
                        token: token.to_owned(),
                        awaited,
                    },
                });
            }
            BearerForm::SignedSessionToken(value) => (
                CredentialKind::SignedSessionToken,
                self.sessions.signed(&value)?,
            ),
            BearerForm::RawSessionToken(value) => {
                (CredentialKind::RawSessionToken, self.sessions.raw(&value)?)
            }
        };
        let subject = Subject::SessionToken(token);
        Ok(Step::Verified(Verified::naming(kind, subject)))
    }

    fn unverified(&self, error: VerifyError) -> Rejection {
        match error {
            VerifyError::Refused(refused) => invalid(refused.reason, refused.kid.as_deref()),
            VerifyError::KeysUnavailable => {
                tracing::error!(
                    outcome = RejectionKind::Unavailable.as_str(),
                    "the public keys are not available"
                );
                Rejection::new(RejectionKind::Unavailable).with_retry_after(self.retry_after)
            }
        }
    }

    /// Asks the store and judges its answer.
    async fn resolve(&self, verified: Verified) -> Result<Identity, Rejection> {
        let question = lookup(&verified, self.clock.now()).into_owned();
        let store = Arc::clone(&self.store);
        let resolution = within(self.lookup_timeout, move || store.resolve(question)).await;
        // A slow lookup may outlive the token; what counts is whether it is good when the request passes.
        self.judge(verified, resolution, self.clock.now())
    }
}

impl From<SessionStep> for Step {
    fn from(step: SessionStep) -> Self {
        match step {
            SessionStep::Verified(verified) => Self::Verified(verified),
            SessionStep::Resolved(verified, resolution) => Self::Resolved(verified, resolution),
            SessionStep::AwaitsCache(awaited) => Self::AwaitsCache(awaited),
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("sources", &self.inner.sources)
            .field("jwts", &self.inner.jwts)
            .field("lookup_timeout", &self.inner.lookup_timeout)
            .finish_non_exhaustive()
    }
}

/// The future of [`Authenticator::authenticate`].
pub struct Authenticate {
    state: State,
}

enum State {
    Ready(Option<Result<Identity, Rejection>>),
    Waiting(Pin<Box<dyn Future<Output = Result<Identity, Rejection>> + Send>>),
}

impl Future for Authenticate {
    type Output = Result<Identity, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            // Polled again after it was ready, it stays silent rather than let anybody in.
            State::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            State::Waiting(future) => {
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

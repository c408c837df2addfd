//! Extract, verify, resolve: a request's head in, an identity or a rejection out.

mod check;
mod judge;
mod reproof;
mod sessions;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, request};

pub(crate) use self::check::Probe;
use self::judge::{invalid, lookup, refused};
pub(crate) use self::sessions::Sessions;
use self::sessions::{AwaitedCache, SessionStep};
use crate::api_key::ApiKeyHash;
use crate::clock::{Clock, Timestamp};
use crate::credential::{BearerForm, Credential, Sources};
use crate::identity::{CredentialKind, Identity};
use crate::rejection::{Rejection, RejectionKind, Renderer, RetryAfter};
use crate::store::{DynUserStore, Resolution, StoreError, catch_panic, within};
use crate::telemetry::{Observation, Stopwatch, meter};
use crate::verify::{AwaitedKey, Held, JwtStep, JwtVerifier, Subject, Verified, VerifyError};

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
    pub(crate) probe: Probe,
    pub(crate) sources: Sources,
    pub(crate) jwts: JwtVerifier,
    pub(crate) sessions: Sessions,
    /// The configurations of the API-key plugin whose keys are accepted.
    pub(crate) api_key_configurations: Vec<String>,
    pub(crate) require_matching_subject: bool,
    pub(crate) require_verified_email: bool,
    pub(crate) lookup_timeout: Duration,
    pub(crate) retry_after: RetryAfter,
    pub(crate) renderer: Renderer,
    pub(crate) recheck_interval: Duration,
}

/// How far a request has come without waiting.
enum Step {
    Verified(Held),
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
        let mut observation = Observation::begin();
        let span = observation.span();
        let state = span.in_scope(|| self.start(parts, &mut observation));
        if let State::Ready(Some(verdict)) = &state {
            observation.end(verdict);
        }
        Authenticate { state, observation }
    }

    fn start(&self, parts: &request::Parts, observation: &mut Observation) -> State {
        let inner = &self.inner;
        let now = inner.clock.now();
        let stopwatch = meter::MEASURES.then(|| Stopwatch::start(&*inner.clock));
        let step = inner.verify(parts, now, observation);
        if let Some(stopwatch) = stopwatch {
            meter::verified(observation.credential(), stopwatch.elapsed(&*inner.clock));
        }
        match step {
            Err(rejection) => State::Ready(Some(Err(rejection))),
            Ok(Step::Resolved(verified, resolution)) => {
                State::Ready(Some(inner.judge(&verified, Ok(resolution), now)))
            }
            Ok(Step::Verified(verified)) => self.resolve(verified, now),
            Ok(Step::AwaitsKey { token, awaited }) => {
                let inner = Arc::clone(inner);
                State::Waiting(Box::pin(async move {
                    let verified = inner
                        .jwts
                        .verify_fetched(&token, awaited, || inner.clock.now())
                        .await
                        .map_err(|error| inner.unverified(error))?;
                    inner.resolve(verified.into()).await
                }))
            }
            Ok(Step::AwaitsCache(awaited)) => {
                let inner = Arc::clone(inner);
                State::Waiting(Box::pin(async move { inner.resolve_cached(awaited).await }))
            }
        }
    }

    /// The response to a request with this head that is refused: the one that the layer would give, as JSON, as a gRPC
    /// status, or as [`rejection_renderer`](crate::BetterAuthLayerBuilder::rejection_renderer) says.
    ///
    /// ```
    /// use better_auth_layer::Authenticator;
    /// use bytes::Bytes;
    ///
    /// async fn upgrade(auth: &Authenticator, parts: &http::request::Parts) -> http::Response<Bytes> {
    ///     match auth.authenticate(parts).await {
    ///         Ok(identity) => http::Response::new(Bytes::from(format!("hello {}", identity.user().id()))),
    ///         Err(rejection) => auth.rejection_response(&rejection, parts),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn rejection_response(
        &self,
        rejection: &Rejection,
        request: &request::Parts,
    ) -> Response<Bytes> {
        self.inner.renderer.to_response(rejection, request)
    }

    pub(crate) fn renderer(&self) -> &Renderer {
        &self.inner.renderer
    }

    /// Whether the store can answer; for readiness probes.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    /// use http::StatusCode;
    ///
    /// async fn readiness(auth: &BetterAuthLayer) -> StatusCode {
    ///     match auth.authenticator().ready().await {
    ///         Ok(()) => StatusCode::OK,
    ///         Err(error) => {
    ///             eprintln!("not ready: {error:#}");
    ///             StatusCode::SERVICE_UNAVAILABLE
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot, or not within the lookup timeout.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.inner.store);
        within(self.inner.lookup_timeout, move || store.ready()).await
    }

    fn resolve(&self, verified: Held, now: Timestamp) -> State {
        let inner = &self.inner;
        match catch_panic(|| inner.store.try_resolve(&lookup(&verified, now))) {
            Ok(Some(resolution)) => {
                meter::answered_at_once(lookup(&verified, now).key().kind().as_str());
                State::Ready(Some(inner.judge(&verified, Ok(resolution), now)))
            }
            Err(error) => State::Ready(Some(inner.judge(&verified, Err(error), now))),
            Ok(None) => {
                let inner = Arc::clone(inner);
                State::Waiting(Box::pin(async move { inner.resolve(verified).await }))
            }
        }
    }
}

impl Inner {
    fn verify(
        &self,
        parts: &request::Parts,
        now: Timestamp,
        observation: &mut Observation,
    ) -> Result<Step, Rejection> {
        let credential = self.sources.extract(parts);
        observation.found(match &credential {
            Ok(None) => "none",
            Ok(Some(credential)) => credential.as_str(),
            Err(reason) => reason.credential(),
        });
        match credential {
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
                let subject = Subject::ApiKey(ApiKeyHash::from_key(key.expose()));
                let verified = Verified::naming(CredentialKind::ApiKey, subject);
                Ok(Step::Verified(verified.into()))
            }
            Ok(Some(Credential::SessionCookie(value))) => {
                if !self.sessions.guard.allows(parts) {
                    return Err(refused(RejectionKind::CrossOrigin, None));
                }
                let step = self.sessions.read_cookie(value, &parts.headers, now);
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
                self.sessions.signed(value)?,
            ),
            BearerForm::RawSessionToken(value) => {
                (CredentialKind::RawSessionToken, self.sessions.raw(&value)?)
            }
        };
        let subject = Subject::SessionToken(token);
        Ok(Step::Verified(Verified::naming(kind, subject).into()))
    }

    fn unverified(&self, error: VerifyError) -> Rejection {
        match error {
            VerifyError::Refused(refused) => invalid(refused.reason, refused.kid.as_deref()),
            VerifyError::KeysUnavailable => {
                tracing::error!(
                    outcome = RejectionKind::Unavailable.as_str(),
                    "the public keys are not available"
                );
                Rejection::unavailable(&self.retry_after)
            }
        }
    }

    /// Asks the store and judges its answer.
    async fn resolve(self: &Arc<Self>, verified: Held) -> Result<Identity, Rejection> {
        let question = lookup(&verified, self.clock.now()).into_owned();
        let kind = question.key().kind().as_str();
        let store = Arc::clone(&self.store);
        let stopwatch = Stopwatch::start(&*self.clock);
        let resolution = within(self.lookup_timeout, move || store.resolve(question)).await;
        let duration = stopwatch.elapsed(&*self.clock);
        Observation::record_lookup(duration);
        meter::lookup(kind, outcome(&resolution), duration);
        // A slow lookup may outlive the token; what counts is whether it is good when the request passes.
        self.judge(&verified, resolution, self.clock.now())
    }

    /// As [`resolve`](Self::resolve), for a session cookie whose cache had to wait for its key.
    async fn resolve_cached(
        self: &Arc<Self>,
        awaited: AwaitedCache,
    ) -> Result<Identity, Rejection> {
        let step = self.sessions.read_fetched(awaited, || self.clock.now());
        match step.await {
            SessionStep::Resolved(verified, resolution) => {
                self.judge(&verified, Ok(resolution), self.clock.now())
            }
            SessionStep::Verified(verified) => self.resolve(verified.into()).await,
            // What was waited for is not waited for again.
            SessionStep::AwaitsCache(awaited) => self.resolve(awaited.into_verified().into()).await,
        }
    }
}

/// What a lookup came to, for the metrics.
fn outcome(resolution: &Result<Resolution, StoreError>) -> &'static str {
    match resolution {
        Ok(Resolution::Found { .. } | Resolution::FoundApiKey { .. }) => "found",
        Ok(_) => "not_found",
        Err(_) => "failed",
    }
}

impl From<SessionStep> for Step {
    fn from(step: SessionStep) -> Self {
        match step {
            SessionStep::Verified(verified) => Self::Verified(verified.into()),
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
    observation: Observation,
}

enum State {
    Ready(Option<Result<Identity, Rejection>>),
    Waiting(Pin<Box<dyn Future<Output = Result<Identity, Rejection>> + Send>>),
}

impl Future for Authenticate {
    type Output = Result<Identity, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { state, observation } = &mut *self;
        match state {
            // Polled again after it was ready, it stays silent rather than let anybody in.
            State::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            State::Waiting(future) => {
                let polled = observation.scope(|| future.as_mut().poll(cx));
                let result = ready!(polled);
                *state = State::Ready(None);
                observation.end(&result);
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

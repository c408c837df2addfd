//! Authenticates requests in four steps: extract, verify, resolve, validate.
//!
//! The first two steps and cached results need no waiting and allocate almost nothing; only a lookup
//! or a key fetch boxes a future (`tests/allocations.rs` counts).

mod diagnose;
mod reauthenticate;
mod validate;

use std::fmt;
use std::future::Ready;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, request};

pub(crate) use self::diagnose::Diagnostics;
pub(crate) use self::validate::Validator;
use self::validate::reject;
use crate::clock::{Clock, Timestamp};
use crate::credential::{Credential, Sources};
use crate::csrf::OriginGuard;
use crate::diagnostics::HealthReport;
use crate::identity::Identity;
use crate::jwks::KeyFetch;
use crate::rejection::{Rejection, RejectionKind, Renderer};
use crate::store::{DynUserStore, Resolution, StoreError, catch_panic, within};
use crate::telemetry::{RequestMetrics, Stopwatch, metrics, record_lookup_duration};
use crate::verify::{Verified, Verifier, VerifyError};

/// Authenticates requests without a Tower service and without reading the body.
///
/// [`BetterAuthLayer`](crate::BetterAuthLayer) uses it for every request. Use it directly in code
/// that is not behind the layer, such as the handler of a WebSocket upgrade:
///
/// ```
/// use better_auth_layer::{Authenticator, Identity, Rejection};
///
/// async fn upgrade(
///     auth: &Authenticator,
///     parts: &http::request::Parts,
/// ) -> Result<Identity, Rejection> {
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
    pub(crate) sources: Sources,
    pub(crate) guard: OriginGuard,
    pub(crate) verifier: Verifier,
    pub(crate) store: Arc<dyn DynUserStore>,
    pub(crate) lookup_timeout: Duration,
    pub(crate) validator: Validator,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) renderer: Renderer,
    pub(crate) recheck_interval: Duration,
    pub(crate) diagnostics: Diagnostics,
}

impl Authenticator {
    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Authenticates a request by its head.
    ///
    /// This call does all work that needs no waiting. The returned future does not borrow the
    /// request; dropping it cancels the lookup.
    ///
    /// # Errors
    ///
    /// The future returns a [`Rejection`] if the request is not authenticated, or if a backend is
    /// unavailable.
    pub fn authenticate(&self, parts: &request::Parts) -> Authenticate {
        let mut request_metrics = RequestMetrics::begin();
        let span = request_metrics.span();
        let state = match span.in_scope(|| self.start(parts, &mut request_metrics)) {
            ControlFlow::Break(result) => {
                request_metrics.finish(&result);
                State::Ready(std::future::ready(result))
            }
            ControlFlow::Continue(future) => State::Waiting(future),
        };
        Authenticate {
            state,
            metrics: request_metrics,
        }
    }

    /// Breaks with the result, or continues with a future that must wait for it.
    fn start(
        &self,
        parts: &request::Parts,
        request_metrics: &mut RequestMetrics,
    ) -> ControlFlow<Outcome, BoxFuture<Outcome>> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let stopwatch = metrics::ENABLED.then(|| Stopwatch::start(&*inner.clock));
        let verified = inner.extract(parts, request_metrics).map(|credential| {
            let verified = inner.verifier.verify(&credential, now);
            (credential, verified)
        });
        if let Some(stopwatch) = stopwatch {
            metrics::record_verification(
                request_metrics.credential(),
                stopwatch.elapsed(&*inner.clock),
            );
        }
        match verified {
            Err(rejection) => ControlFlow::Break(Err(rejection)),
            Ok((_, Ok(verified))) => match inner.resolve_now(&verified, now) {
                Some(result) => ControlFlow::Break(result),
                None => {
                    let inner = Arc::clone(inner);
                    ControlFlow::Continue(Box::pin(async move { inner.look_up(&verified).await }))
                }
            },
            Ok((credential, Err(VerifyError::KeysPending(fetch)))) => {
                let (inner, credential) = (Arc::clone(inner), credential.into_owned());
                ControlFlow::Continue(Box::pin(async move {
                    let verified = inner.verify_after(fetch, credential).await?;
                    match inner.resolve_now(&verified, inner.clock.now()) {
                        Some(result) => result,
                        None => inner.look_up(&verified).await,
                    }
                }))
            }
            Ok((_, Err(error))) => ControlFlow::Break(Err(inner.not_verified(error))),
        }
    }

    /// Renders the response to a rejected request, as the layer does: as JSON, as a gRPC status, or
    /// with the [`rejection_renderer`](crate::BetterAuthLayerBuilder::rejection_renderer).
    ///
    /// ```
    /// use better_auth_layer::Authenticator;
    /// use bytes::Bytes;
    ///
    /// async fn upgrade(
    ///     auth: &Authenticator,
    ///     parts: &http::request::Parts,
    /// ) -> http::Response<Bytes> {
    ///     match auth.authenticate(parts).await {
    ///         Ok(identity) => {
    ///             let body = format!("hello {}", identity.user().id());
    ///             http::Response::new(Bytes::from(body))
    ///         }
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

    /// Checks whether the store is available, for readiness probes.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    /// use http::StatusCode;
    ///
    /// async fn readiness(auth: &BetterAuthLayer) -> StatusCode {
    ///     match auth.authenticator().ready().await {
    ///         Ok(()) => StatusCode::OK,
    ///         Err(error) => {
    ///             eprintln!("not ready: {error}");
    ///             StatusCode::SERVICE_UNAVAILABLE
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store is unavailable or does not respond within the lookup timeout.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.inner.store);
        within(self.inner.lookup_timeout, move || store.ready()).await
    }

    /// Checks the whole deployment: the configured secret and issuer, the store with its tables and
    /// connection, each kind of lookup that the accepted credentials need, the public keys, and this
    /// machine's clock against those of the store and the issuer. A check that did not succeed
    /// suggests a remedy.
    ///
    /// The checks look up users that do not exist and fetch the public keys regardless of the
    /// cooldown. Run them at startup and for operators, not on a public route. For readiness probes,
    /// use [`ready`](Self::ready).
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// async fn validate(auth: &BetterAuthLayer) -> Result<(), String> {
    ///     let report = auth.authenticator().diagnose().await;
    ///     if report.is_healthy() { Ok(()) } else { Err(report.to_string()) }
    /// }
    /// ```
    ///
    /// A clock difference of more than two seconds is a warning, of more than thirty a failure. The
    /// issuer's clock is read from the `Date` header of its key set.
    pub async fn diagnose(&self) -> HealthReport {
        let inner = &self.inner;
        inner
            .diagnostics
            .run(&inner.store, &*inner.clock, inner.lookup_timeout)
            .await
    }
}

impl Inner {
    fn extract<'a>(
        &self,
        parts: &'a request::Parts,
        request_metrics: &mut RequestMetrics,
    ) -> Result<Credential<'a>, Rejection> {
        let credential = self.sources.extract(parts);
        request_metrics.set_credential(match &credential {
            Ok(None) => "none",
            Ok(Some(credential)) => credential.as_str(),
            Err(reason) => reason.credential(),
        });
        let Some(credential) = credential.map_err(|reason| reject(reason, None))? else {
            tracing::debug!(
                outcome = RejectionKind::MissingCredential.as_str(),
                "request without a credential"
            );
            return Err(Rejection::new(RejectionKind::MissingCredential));
        };
        let is_cookie = matches!(credential, Credential::SessionCookie(_));
        if is_cookie && !self.guard.allows(parts) {
            return Err(reject(RejectionKind::CrossOrigin, None));
        }
        Ok(credential)
    }

    /// Verifies a credential again after the fetch of its key has ended.
    async fn verify_after(
        &self,
        fetch: KeyFetch,
        mut credential: Credential<'static>,
    ) -> Result<Verified, Rejection> {
        fetch.finished().await;
        let now = self.clock.now();
        let mut verified = self.verifier.verify(&credential, now);
        if let (Err(VerifyError::KeysPending(_)), Credential::SessionCookie(cookie)) =
            (&verified, &mut credential)
        {
            // This task was suspended for longer than the cooldown. Only the cache needs the key.
            cookie.cache = None;
            verified = self.verifier.verify(&credential, now);
        }
        verified.map_err(|error| self.not_verified(error))
    }

    fn not_verified(&self, error: VerifyError) -> Rejection {
        match error {
            VerifyError::Invalid { reason, kid } => reject((reason, kid), None),
            VerifyError::KeysPending(_) | VerifyError::KeysUnavailable => {
                tracing::error!(
                    outcome = RejectionKind::Unavailable.as_str(),
                    "public keys are unavailable"
                );
                Rejection::unavailable(&self.validator.retry_after)
            }
        }
    }

    /// Resolves and validates without waiting. `None` if that requires a lookup.
    fn resolve_now(self: &Arc<Self>, verified: &Verified, now: Timestamp) -> Option<Outcome> {
        let resolution = match &verified.cached {
            Some(cached) => {
                let (user, session) = (Arc::clone(&cached.user), Arc::clone(&cached.session));
                Ok(Resolution::found(user, session))
            }
            None => {
                let lookup = verified.lookup(now);
                let resolution = catch_panic(|| self.store.try_resolve(&lookup)).transpose()?;
                if resolution.is_ok() {
                    metrics::record_cache_hit(lookup.key().kind().as_str());
                }
                resolution
            }
        };
        Some(self.validate(verified, resolution, now))
    }

    /// Resolves with a store lookup, and validates.
    async fn look_up(self: &Arc<Self>, verified: &Verified) -> Result<Identity, Rejection> {
        let lookup = verified.lookup(self.clock.now()).into_owned();
        let kind = lookup.key().kind().as_str();
        let store = Arc::clone(&self.store);
        let stopwatch = Stopwatch::start(&*self.clock);
        let resolution = within(self.lookup_timeout, move || store.resolve(lookup)).await;
        let duration = stopwatch.elapsed(&*self.clock);
        record_lookup_duration(duration);
        let outcome = match resolution {
            Ok(Resolution::Found { .. } | Resolution::FoundApiKey { .. }) => "found",
            Ok(_) => "not_found",
            Err(_) => "failed",
        };
        metrics::record_lookup(kind, outcome, duration);
        // Reads the clock again, because the credential may have expired during the lookup.
        self.validate(verified, resolution, self.clock.now())
    }

    fn validate(
        self: &Arc<Self>,
        verified: &Verified,
        resolution: Result<Resolution, StoreError>,
        now: Timestamp,
    ) -> Result<Identity, Rejection> {
        let layer = Arc::<Self>::clone(self);
        self.validator.validate(verified, resolution, now, layer)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("sources", &self.inner.sources)
            .field("jwts", &self.inner.verifier.jwts)
            .field("lookup_timeout", &self.inner.lookup_timeout)
            .finish_non_exhaustive()
    }
}

type Outcome = Result<Identity, Rejection>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The future of [`Authenticator::authenticate`].
pub struct Authenticate {
    state: State,
    metrics: RequestMetrics,
}

enum State {
    Ready(Ready<Outcome>),
    Waiting(BoxFuture<Outcome>),
}

impl Future for Authenticate {
    type Output = Result<Identity, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { state, metrics } = &mut *self;
        match state {
            State::Ready(ready) => Pin::new(ready).poll(cx),
            State::Waiting(future) => {
                let result = ready!(metrics.in_scope(|| future.as_mut().poll(cx)));
                metrics.finish(&result);
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

//! The span and the metrics of each request.
//!
//! The span has the level `debug`, as in tower-http, because creating it costs more than
//! authenticating a request with a cached JWT.

pub(crate) mod metrics;

use std::time::Duration;

use tracing::Span;
use tracing::field::Empty;

use crate::clock::Clock;
use crate::identity::Identity;
use crate::rejection::{Rejection, RejectionKind};

/// Measures time on the layer's monotonic clock, which tests control.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(crate) fn start(clock: &dyn Clock) -> Self {
        Self(clock.monotonic())
    }

    pub(crate) fn elapsed(self, clock: &dyn Clock) -> Duration {
        clock.monotonic().saturating_sub(self.0)
    }
}

/// Records one request in its span and in the metrics. A request that is dropped before it is
/// decided is recorded as cancelled.
pub(crate) struct RequestMetrics {
    span: Span,
    credential: &'static str,
    is_finished: bool,
}

impl RequestMetrics {
    pub(crate) fn begin() -> Self {
        Self {
            span: tracing::debug_span!(
                "authenticate",
                better_auth.outcome = Empty,
                better_auth.credential = Empty,
                better_auth.lookup.duration = Empty,
                user.id = Empty,
                "error.type" = Empty,
                otel.kind = "internal",
                otel.status_code = Empty,
            ),
            credential: "none",
            is_finished: false,
        }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Runs a closure in the span of the request.
    pub(crate) fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.span.in_scope(run)
    }

    pub(crate) fn set_credential(&mut self, credential: &'static str) {
        self.credential = credential;
    }

    pub(crate) fn credential(&self) -> &'static str {
        self.credential
    }

    pub(crate) fn finish(&mut self, result: &Result<Identity, Rejection>) {
        match result {
            Ok(identity) => {
                self.credential = identity.credential().as_str();
                self.span.record("user.id", identity.user().id());
                self.record("authenticated");
                self.span.in_scope(|| {
                    tracing::debug!(
                        outcome = "authenticated",
                        credential = self.credential,
                        user_id = identity.user().id(),
                        "request authenticated"
                    );
                });
            }
            Err(rejection) => {
                let kind = rejection.kind();
                if kind == RejectionKind::Unavailable {
                    self.span.record("otel.status_code", "ERROR");
                    self.span.record("error.type", kind.as_str());
                }
                self.record(kind.as_str());
            }
        }
    }

    fn record(&mut self, outcome: &'static str) {
        self.is_finished = true;
        self.span.record("better_auth.outcome", outcome);
        self.span.record("better_auth.credential", self.credential);
        metrics::record_request(outcome, self.credential);
    }
}

impl Drop for RequestMetrics {
    fn drop(&mut self) {
        if !self.is_finished {
            self.record("cancelled");
        }
    }
}

/// Records the duration of a store lookup in the current span.
pub(crate) fn record_lookup_duration(duration: Duration) {
    Span::current().record("better_auth.lookup.duration", duration.as_secs_f64());
}

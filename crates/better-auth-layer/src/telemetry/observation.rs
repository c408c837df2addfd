//! One request, as an operator sees it.

use std::time::Duration;

use tracing::Span;
use tracing::field::Empty;

use super::meter;
use crate::identity::Identity;
use crate::rejection::{Rejection, RejectionKind};

/// A request on its way from credential to verdict. One that is dropped on the way is told of as cancelled.
pub(crate) struct Observation {
    span: Span,
    credential: &'static str,
    has_ended: bool,
}

impl Observation {
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
            has_ended: false,
        }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Everything that happens for the request happens in its span.
    pub(crate) fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.span.in_scope(run)
    }

    /// What was found in the request.
    pub(crate) fn found(&mut self, credential: &'static str) {
        self.credential = credential;
    }

    pub(crate) fn credential(&self) -> &'static str {
        self.credential
    }

    pub(crate) fn end(&mut self, verdict: &Result<Identity, Rejection>) {
        match verdict {
            Ok(identity) => {
                self.credential = identity.credential().as_str();
                self.span.record("user.id", identity.user().id());
                self.tell("authenticated");
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
                self.tell(kind.as_str());
            }
        }
    }

    fn tell(&mut self, outcome: &'static str) {
        self.has_ended = true;
        self.span.record("better_auth.outcome", outcome);
        self.span.record("better_auth.credential", self.credential);
        meter::request(outcome, self.credential);
    }

    /// How long the store took, for the span that the caller is in.
    pub(crate) fn record_lookup(duration: Duration) {
        Span::current().record("better_auth.lookup.duration", duration.as_secs_f64());
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if !self.has_ended {
            self.tell("cancelled");
        }
    }
}

//! Counts through the `metrics` facade.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::metrics::{JWKS_AGE, JWKS_FETCHES, LOOKUP_DURATION, LOOKUPS, REQUESTS, VERIFY_DURATION};

/// Whether anybody wants to know how long something took.
pub(crate) const MEASURES: bool = true;

pub(crate) fn request(outcome: &'static str, credential: &'static str) {
    counter!(REQUESTS, "outcome" => outcome, "credential" => credential).increment(1);
}

pub(crate) fn verified(credential: &'static str, duration: Duration) {
    histogram!(VERIFY_DURATION, "credential" => credential).record(duration);
}

pub(crate) fn lookup(kind: &'static str, outcome: &'static str, duration: Duration) {
    counter!(LOOKUPS, "kind" => kind, "answered_by" => "store").increment(1);
    histogram!(LOOKUP_DURATION, "kind" => kind, "outcome" => outcome).record(duration);
}

pub(crate) fn answered_at_once(kind: &'static str) {
    counter!(LOOKUPS, "kind" => kind, "answered_by" => "cache").increment(1);
}

pub(crate) fn jwks_fetched(succeeded: bool) {
    let outcome = if succeeded { "fetched" } else { "failed" };
    counter!(JWKS_FETCHES, "outcome" => outcome).increment(1);
}

pub(crate) fn jwks_age(age: Duration) {
    gauge!(JWKS_AGE).set(age);
}

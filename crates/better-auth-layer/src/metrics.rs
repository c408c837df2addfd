//! Metrics, through the [`metrics`](https://docs.rs/metrics) facade (feature `metrics`).
//!
//! Install a recorder, such as that of `metrics-exporter-prometheus`, before the first request; without one nothing is
//! counted. No label holds anything that a client wrote, and each has a handful of values.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | [`better_auth_requests_total`](REQUESTS) | counter | `outcome`: `authenticated`, `cancelled` or a [`RejectionKind`](crate::RejectionKind) by its [name](crate::RejectionKind::as_str); `credential`: a [`CredentialKind`](crate::CredentialKind) by its [name](crate::CredentialKind::as_str), for what was refused before its kind was known `bearer`, or `none`. What an optional layer has let through without a credential is a `missing_credential` here |
//! | [`better_auth_verify_duration_seconds`](VERIFY_DURATION) | histogram | `credential`, as above: from the head of the request to a verified credential, without waiting for keys or a store |
//! | [`better_auth_lookups_total`](LOOKUPS) | counter | `kind`: `email`, `user_id`, `session_token`, `api_key`; `answered_by`: `store`, or `cache` for a store that had the answer at hand ([`try_resolve`](crate::UserStore::try_resolve)); their ratio is the cache's hit ratio |
//! | [`better_auth_lookup_duration_seconds`](LOOKUP_DURATION) | histogram | `kind`; `outcome`: `found`, `not_found`, `failed`: lookups that asked the store |
//! | [`better_auth_jwks_fetches_total`](JWKS_FETCHES) | counter | `outcome`: `fetched`, `failed` |
//! | [`better_auth_jwks_age_seconds`](JWKS_AGE) | gauge | age of the public keys when they were last used or fetched |
//!
//! ```
//! // In `main`, after the recorder was installed:
//! better_auth_layer::metrics::describe();
//! ```

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Requests that were judged.
pub const REQUESTS: &str = "better_auth_requests_total";
/// How long verification took, in seconds.
pub const VERIFY_DURATION: &str = "better_auth_verify_duration_seconds";
/// Users and sessions that were looked up.
pub const LOOKUPS: &str = "better_auth_lookups_total";
/// How long lookups took that asked the store, in seconds.
pub const LOOKUP_DURATION: &str = "better_auth_lookup_duration_seconds";
/// Attempts to fetch the public keys.
pub const JWKS_FETCHES: &str = "better_auth_jwks_fetches_total";
/// Age of the public keys, in seconds.
pub const JWKS_AGE: &str = "better_auth_jwks_age_seconds";

/// Tells the recorder what the metrics mean. Call it once, after the recorder was installed.
pub fn describe() {
    describe_counter!(
        REQUESTS,
        Unit::Count,
        "Requests judged, by outcome and credential."
    );
    describe_histogram!(
        VERIFY_DURATION,
        Unit::Seconds,
        "From the request's head to a verified credential."
    );
    describe_counter!(LOOKUPS, Unit::Count, "Users and sessions looked up.");
    describe_histogram!(
        LOOKUP_DURATION,
        Unit::Seconds,
        "Lookups that asked the store."
    );
    describe_counter!(
        JWKS_FETCHES,
        Unit::Count,
        "Attempts to fetch the public keys."
    );
    describe_gauge!(JWKS_AGE, Unit::Seconds, "Age of the public keys.");
}

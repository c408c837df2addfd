//! Metrics, through the facade [`metrics`](https://docs.rs/metrics) (feature `metrics`).
//!
//! Install a recorder, such as that of `metrics-exporter-prometheus`, before the first request;
//! without a recorder, metrics are discarded. Labels have a small, fixed set of values and never
//! contain text from a client.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | [`better_auth_requests_total`](REQUESTS) | counter | `outcome`: `authenticated`, `cancelled`, or the [name](crate::RejectionKind::as_str) of a [`RejectionKind`](crate::RejectionKind); `credential`: the [name](crate::CredentialKind::as_str) of a [`CredentialKind`](crate::CredentialKind), `bearer` for a bearer token that was rejected before its kind was known, or `none`. An anonymous request that an optional layer accepts counts as `missing_credential` |
//! | [`better_auth_verify_duration_seconds`](VERIFY_DURATION) | histogram | `credential`, as above: extraction and verification, without waiting for keys or a store |
//! | [`better_auth_lookups_total`](LOOKUPS) | counter | `kind`: `email`, `user_id`, `session_token`, `api_key`; `answered_by`: `store`, or `cache` if [`try_resolve`](crate::UserStore::try_resolve) had the result. Their ratio is the hit ratio of the cache |
//! | [`better_auth_lookup_duration_seconds`](LOOKUP_DURATION) | histogram | `kind`; `outcome`: `found`, `not_found`, `failed`: lookups in the store |
//! | [`better_auth_jwks_fetches_total`](JWKS_FETCHES) | counter | `outcome`: `fetched`, `failed` |
//! | [`better_auth_jwks_age_seconds`](JWKS_AGE) | gauge | age of the public keys when last used or fetched |
//!
//! ```
//! // In `main`, after installing the recorder:
//! better_auth_layer::metrics::describe();
//! ```

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Authenticated, rejected and cancelled requests.
pub const REQUESTS: &str = "better_auth_requests_total";
/// Duration of verification in seconds.
pub const VERIFY_DURATION: &str = "better_auth_verify_duration_seconds";
/// Lookups of users and sessions.
pub const LOOKUPS: &str = "better_auth_lookups_total";
/// Duration of store lookups in seconds.
pub const LOOKUP_DURATION: &str = "better_auth_lookup_duration_seconds";
/// Fetches of the public keys.
pub const JWKS_FETCHES: &str = "better_auth_jwks_fetches_total";
/// Age of the public keys in seconds.
pub const JWKS_AGE: &str = "better_auth_jwks_age_seconds";

/// Registers the descriptions of the metrics. Call it once, after installing the recorder.
pub fn describe() {
    describe_counter!(
        REQUESTS,
        Unit::Count,
        "Authenticated, rejected and cancelled requests."
    );
    describe_histogram!(
        VERIFY_DURATION,
        Unit::Seconds,
        "Duration of extraction and verification."
    );
    describe_counter!(LOOKUPS, Unit::Count, "Lookups of users and sessions.");
    describe_histogram!(LOOKUP_DURATION, Unit::Seconds, "Duration of store lookups.");
    describe_counter!(JWKS_FETCHES, Unit::Count, "Fetches of the public keys.");
    describe_gauge!(JWKS_AGE, Unit::Seconds, "Age of the public keys.");
}

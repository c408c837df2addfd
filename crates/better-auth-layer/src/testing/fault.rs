//! What can go wrong with the store and with the keys, for tests to bring about.

use std::time::Duration;

/// What is wrong with the user store: see [`TestDeployment::break_store`](super::TestDeployment::break_store).
///
/// In every case the request gets `503`, never a refusal that looks like a sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFault {
    /// It answers every lookup with an error, as a database that is down does.
    Unavailable,
    /// It never answers and wakes nobody. The layer's
    /// [`lookup_timeout`](crate::BetterAuthLayerBuilder::lookup_timeout) ends the wait, which is ten seconds unless the
    /// layer says otherwise; let Tokio's time stand still (`#[tokio::test(start_paused = true)]`) and they pass at once.
    Hangs,
    /// Its code panics. The panic leaves no message in the test's output.
    Panics,
}

/// What is wrong with the issuer's key set: see [`TestDeployment::break_keys`](super::TestDeployment::break_keys).
///
/// A layer that has the keys already goes on with them for [`max_stale`](crate::jwks::JwksOptions::max_stale); one that has
/// none answers JWTs of the JWT plugin with `503`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysFault {
    /// Nobody answers.
    Unavailable,
    /// The answer comes after this time of Tokio's timer. More than
    /// [`fetch_timeout`](crate::jwks::JwksOptions::fetch_timeout), five seconds, is too late.
    Slow(Duration),
    /// The answer is the error page of some proxy.
    Garbage,
    /// The answer is a set without keys.
    Empty,
}

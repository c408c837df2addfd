//! Options of the key cache.

use std::time::Duration;

use super::JwsAlgorithm;
use crate::config_error::ConfigError;

/// How long the layer caches the keys of a [`KeySource`](crate::jwks::KeySource), and how often it
/// fetches them. All times are measured on the monotonic clock.
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::jwks::JwksOptions;
///
/// let options = JwksOptions::new().cooldown(Duration::from_secs(10));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to a builder"]
pub struct JwksOptions {
    pub(super) refresh_after: Duration,
    pub(super) max_stale: Duration,
    pub(super) cooldown: Duration,
    pub(super) retry_after_failure: Duration,
    pub(super) fetch_timeout: Duration,
    pub(super) rsa_algorithm: Option<JwsAlgorithm>,
}

impl Default for JwksOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl JwksOptions {
    /// Creates the default options.
    pub fn new() -> Self {
        Self {
            refresh_after: Duration::from_secs(5 * 60),
            max_stale: Duration::from_secs(60 * 60),
            cooldown: Duration::from_secs(30),
            retry_after_failure: Duration::from_secs(1),
            fetch_timeout: Duration::from_secs(5),
            rsa_algorithm: None,
        }
    }

    /// Sets the age at which cached keys are refreshed in the background; they remain in use while
    /// the fetch runs. A key that the issuer removes is rejected after the next fetch. Default: 5
    /// minutes, as in Better Auth's own client.
    pub fn refresh_after(mut self, age: Duration) -> Self {
        self.refresh_after = age;
        self
    }

    /// Sets the age up to which cached keys are used if no new ones can be fetched. Afterwards,
    /// requests that need a key receive `503`. Must be longer than the [`cooldown`](Self::cooldown).
    /// Default: one hour, four times the lifetime of Better Auth's tokens; after an outage of that
    /// length the issuer's last tokens have expired anyway.
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.max_stale = age;
        self
    }

    /// Sets the minimum time between a successful fetch and the next one. A token with an unknown
    /// `kid` starts no fetch within this time, which limits the load that clients can cause at the
    /// issuer and delays the first use of a new key by at most this long. Default: 30 seconds, as
    /// in jose.
    pub fn cooldown(mut self, time: Duration) -> Self {
        self.cooldown = time;
        self
    }

    /// Sets the minimum time between a failed fetch and the next one. Default: one second.
    pub fn retry_after_failure(mut self, time: Duration) -> Self {
        self.retry_after_failure = time;
        self
    }

    /// Sets the timeout of a fetch, from connecting to the last byte. Default: 5 seconds.
    pub fn fetch_timeout(mut self, time: Duration) -> Self {
        self.fetch_timeout = time;
        self
    }

    /// Sets the algorithm of RSA keys without `alg`. Without this option such keys are not used,
    /// because the key works with both RSA algorithms and a token must not choose its algorithm.
    pub fn rsa_algorithm(mut self, algorithm: JwsAlgorithm) -> Self {
        self.rsa_algorithm = Some(algorithm);
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let reject = |problem: &'static str, remedy: &'static str| {
            Err(ConfigError::new("jwks_options", problem, remedy))
        };
        if self.fetch_timeout.is_zero() {
            return reject(
                "has a `fetch_timeout` of zero",
                "set `fetch_timeout` to a few seconds",
            );
        }
        if self.max_stale < self.refresh_after {
            return reject(
                "has a `max_stale` shorter than its `refresh_after`",
                "set `max_stale` to more than `refresh_after`",
            );
        }
        if self.max_stale <= self.cooldown {
            return reject(
                "has a `max_stale` that is not longer than its `cooldown`",
                "set `max_stale` to more than `cooldown`",
            );
        }
        if self.cooldown.is_zero() || self.retry_after_failure.is_zero() {
            return reject(
                "has no cooldown, so every invalid token would fetch the keys",
                "set `cooldown` and `retry_after_failure` to a second or more",
            );
        }
        if !matches!(
            self.rsa_algorithm,
            None | Some(JwsAlgorithm::Rs256 | JwsAlgorithm::Ps256)
        ) {
            return reject(
                "has an `rsa_algorithm` that is not an RSA algorithm",
                "set `rsa_algorithm` to RS256 or PS256",
            );
        }
        Ok(())
    }
}

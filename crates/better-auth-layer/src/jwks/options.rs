//! How long keys are trusted.

use std::time::Duration;

use super::JwsAlgorithm;
use crate::config_error::ConfigError;

/// How the layer keeps the keys of a [`KeySource`](crate::jwks::KeySource). Times are counted by the monotonic clock.
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
    /// The defaults.
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

    /// Sets the age at which keys are fetched again in the background, while they go on serving. Default: 5 minutes, as
    /// Better Auth's own client; a key that is taken out of the set is refused from then on.
    pub fn refresh_after(mut self, age: Duration) -> Self {
        self.refresh_after = age;
        self
    }

    /// Sets the age to which keys go on serving while no new ones can be had; it is more than the
    /// [`cooldown`](Self::cooldown). Default: one hour, four times the life of Better Auth's tokens: an issuer that is down
    /// that long has no valid token left. After it, requests get `503`.
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.max_stale = age;
        self
    }

    /// Sets how long after a fetch a token with an unknown `kid` causes no other one. Default: 30 seconds, as in jose.
    /// A rotation is noticed within this time, and nobody can make the issuer answer more often.
    pub fn cooldown(mut self, time: Duration) -> Self {
        self.cooldown = time;
        self
    }

    /// Sets how long after a fetch that failed no other one is begun. Default: one second.
    pub fn retry_after_failure(mut self, time: Duration) -> Self {
        self.retry_after_failure = time;
        self
    }

    /// Sets how long a fetch may take, from the connection to the last byte. Default: 5 seconds.
    pub fn fetch_timeout(mut self, time: Duration) -> Self {
        self.fetch_timeout = time;
        self
    }

    /// Sets what RSA keys are for that have no `alg`. Without it they are not used: one and the same key works with both
    /// algorithms, and the token must not choose.
    pub fn rsa_algorithm(mut self, algorithm: JwsAlgorithm) -> Self {
        self.rsa_algorithm = Some(algorithm);
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let refused = |problem: &'static str, remedy: &'static str| {
            Err(ConfigError::new("jwks_options", problem, remedy))
        };
        if self.fetch_timeout.is_zero() {
            return refused(
                "leaves a fetch no time",
                "set `fetch_timeout` to some seconds",
            );
        }
        if self.max_stale < self.refresh_after {
            return refused(
                "trusts keys for a shorter time than after which they are fetched again",
                "set `max_stale` to more than `refresh_after`",
            );
        }
        if self.max_stale <= self.cooldown {
            return refused(
                "lets keys become too old before they may be fetched again",
                "set `max_stale` to more than `cooldown`",
            );
        }
        if self.cooldown.is_zero() || self.retry_after_failure.is_zero() {
            return refused(
                "lets every bad token fetch the keys",
                "set `cooldown` and `retry_after_failure` to a second or more",
            );
        }
        if !matches!(
            self.rsa_algorithm,
            None | Some(JwsAlgorithm::Rs256 | JwsAlgorithm::Ps256)
        ) {
            return refused(
                "names an algorithm for RSA keys that is none",
                "set `rsa_algorithm` to RS256 or PS256",
            );
        }
        Ok(())
    }
}

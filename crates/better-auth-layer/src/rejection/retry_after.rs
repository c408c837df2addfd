//! When a client should come back after a `503`.

use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The `Retry-After` of refusals that mean "nobody can tell just now" (RFC 9110 §10.2.3), in whole seconds.
///
/// The default is one second: a store that restarts is back within that. Where many clients would come back in the same
/// second, spread them:
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::{BetterAuthLayer, RetryAfter};
///
/// let second = Duration::from_secs(1);
/// let builder = BetterAuthLayer::builder().retry_after(RetryAfter::between(second..=10 * second));
/// # let _ = builder;
/// ```
#[derive(Clone, Debug)]
pub struct RetryAfter(Policy);

#[derive(Clone, Debug)]
enum Policy {
    Never,
    Between { least: u64, most: u64 },
}

impl RetryAfter {
    /// The same time for everybody; at least one second.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self::between(time..=time)
    }

    /// A time from this range, another one for each refusal; at least one second.
    #[must_use]
    pub fn between(times: RangeInclusive<Duration>) -> Self {
        let seconds = |time: &Duration| time.as_secs().max(1);
        let least = seconds(times.start());
        Self(Policy::Between {
            least,
            most: seconds(times.end()).max(least),
        })
    }

    /// No such header, for clients that know better themselves.
    #[must_use]
    pub fn omit() -> Self {
        Self(Policy::Never)
    }

    pub(crate) fn choose(&self) -> Option<Duration> {
        let Policy::Between { least, most } = self.0 else {
            return None;
        };
        let span = (most - least).saturating_add(1);
        let offset = if span == 1 { 0 } else { arbitrary() % span };
        Some(Duration::from_secs(least + offset))
    }
}

impl Default for RetryAfter {
    fn default() -> Self {
        Self::after(Duration::from_secs(1))
    }
}

impl From<Duration> for RetryAfter {
    fn from(time: Duration) -> Self {
        Self::after(time)
    }
}

/// The keys of the standard library's hash maps differ from one map to the next; that is random enough to spread clients.
fn arbitrary() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(policy: &RetryAfter) -> Option<u64> {
        policy.choose().map(|time| time.as_secs())
    }

    #[test]
    fn a_fixed_time_is_whole_seconds_and_at_least_one() {
        let fixed = |time| seconds(&RetryAfter::after(time));
        assert_eq!(fixed(Duration::ZERO), Some(1));
        assert_eq!(fixed(Duration::from_millis(2900)), Some(2));
        assert_eq!(seconds(&RetryAfter::omit()), None);
        assert_eq!(seconds(&RetryAfter::default()), Some(1));
    }

    #[test]
    fn a_range_is_used_from_end_to_end_and_never_left() {
        let second = Duration::from_secs(1);
        let policy = RetryAfter::between(second..=3 * second);
        let seen: std::collections::BTreeSet<_> =
            (0..1000).filter_map(|_| seconds(&policy)).collect();
        assert_eq!(seen, [1, 2, 3].into());
        let turned = RetryAfter::between(3 * second..=second);
        assert_eq!(seconds(&turned), Some(3));
        let _ = RetryAfter::between(Duration::ZERO..=Duration::MAX).choose();
    }
}

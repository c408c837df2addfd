//! [`RetryAfter`]: the `Retry-After` header of 503 responses.

use std::ops::RangeInclusive;
use std::time::Duration;

use aws_lc_rs::rand;

/// The `Retry-After` header of 503 responses, in whole seconds (RFC 9110 §10.2.3).
///
/// The default is one second, which covers the restart of a store. A range distributes the retries
/// of many clients:
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::BetterAuthLayer;
/// use better_auth_layer::rejection::RetryAfter;
///
/// let second = Duration::from_secs(1);
/// let builder = BetterAuthLayer::builder().retry_after(RetryAfter::between(second..=10 * second));
/// # let _ = builder;
/// ```
#[derive(Clone, Debug)]
pub struct RetryAfter(Policy);

#[derive(Clone, Debug)]
enum Policy {
    Omit,
    Between { min: u64, max: u64 },
}

impl RetryAfter {
    /// The same delay for every client, at least one second.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self::between(time..=time)
    }

    /// A random delay from this range for each response, at least one second.
    #[must_use]
    pub fn between(times: RangeInclusive<Duration>) -> Self {
        let seconds = |time: &Duration| time.as_secs().max(1);
        let min = seconds(times.start());
        Self(Policy::Between {
            min,
            max: seconds(times.end()).max(min),
        })
    }

    /// Omits the header.
    #[must_use]
    pub fn omit() -> Self {
        Self(Policy::Omit)
    }

    pub(crate) fn choose(&self) -> Option<Duration> {
        let Policy::Between { min, max } = self.0 else {
            return None;
        };
        let span = (max - min).saturating_add(1);
        let offset = if span == 1 { 0 } else { random() % span };
        Some(Duration::from_secs(min + offset))
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

/// Without a random source, all clients get the same delay.
fn random() -> u64 {
    let mut bytes = [0; 8];
    match rand::fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(policy: &RetryAfter) -> Option<u64> {
        policy.choose().map(|time| time.as_secs())
    }

    #[test]
    fn fixed_delay_is_whole_seconds() {
        let fixed = |time| seconds(&RetryAfter::after(time));
        assert_eq!(fixed(Duration::ZERO), Some(1));
        assert_eq!(fixed(Duration::from_millis(2900)), Some(2));
        assert_eq!(seconds(&RetryAfter::omit()), None);
        assert_eq!(seconds(&RetryAfter::default()), Some(1));
    }

    #[test]
    fn range_is_inclusive() {
        let second = Duration::from_secs(1);
        let policy = RetryAfter::between(second..=3 * second);
        let seen: std::collections::BTreeSet<_> =
            (0..1000).filter_map(|_| seconds(&policy)).collect();
        assert_eq!(seen, [1, 2, 3].into());
        let reversed = RetryAfter::between(3 * second..=second);
        assert_eq!(seconds(&reversed), Some(3));
        let _ = RetryAfter::between(Duration::ZERO..=Duration::MAX).choose();
    }
}

//! Timestamps, and the clock that the layer reads.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point in time: microseconds since the Unix epoch, UTC.
///
/// The resolution covers a JWT's `NumericDate` (seconds, possibly with a fraction), Better Auth's
/// JavaScript dates (milliseconds) and PostgreSQL's timestamps (microseconds). Conversions saturate,
/// so `infinity` in a database is [`Timestamp::MAX`].
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::clock::Timestamp;
///
/// let expires_at = Timestamp::from_unix_millis(1_795_434_242_090);
/// assert_eq!(expires_at.as_unix_seconds(), 1_795_434_242);
/// assert!(expires_at.saturating_add(Duration::from_secs(1)) > expires_at);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

impl Timestamp {
    /// The latest timestamp, used for "never".
    pub const MAX: Self = Self { micros: i64::MAX };

    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self { micros: 0 };

    /// Creates a timestamp from whole seconds since the epoch.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self {
            micros: seconds.saturating_mul(1_000_000),
        }
    }

    /// Creates a timestamp from milliseconds since the epoch, as in JavaScript's `Date`.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self {
            micros: millis.saturating_mul(1_000),
        }
    }

    /// Creates a timestamp from seconds with a fraction, as in a JWT's `exp` or SQL's
    /// `extract(epoch from …)`.
    ///
    /// `None` for NaN. Infinities saturate.
    #[must_use]
    pub fn from_unix_seconds_f64(seconds: f64) -> Option<Self> {
        if seconds.is_nan() {
            return None;
        }
        // A float-to-integer cast saturates.
        Some(Self {
            micros: (seconds * 1e6).round() as i64,
        })
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_unix_seconds(self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_unix_millis(self) -> i64 {
        self.micros.div_euclid(1_000)
    }

    /// Seconds since the epoch with a fraction, for comparison in SQL.
    #[must_use]
    pub fn as_unix_seconds_f64(self) -> f64 {
        self.micros as f64 / 1e6
    }

    /// A later timestamp.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self {
            micros: self.micros.saturating_add(micros(duration)),
        }
    }

    /// An earlier timestamp.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self {
            micros: self.micros.saturating_sub(micros(duration)),
        }
    }

    /// The absolute difference of two timestamps.
    #[must_use]
    pub fn abs_diff(self, other: Self) -> Duration {
        Duration::from_micros(self.micros.abs_diff(other.micros))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self {
                micros: micros(since),
            },
            Err(before) => Self {
                micros: -micros(before.duration()),
            },
        }
    }
}

/// Saturates at the years 1601 and 9999, because the range of `SystemTime` depends on the platform.
impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        const MIN: i64 = -11_644_473_600_000_000;
        const MAX: i64 = 253_402_300_799_000_000;
        let micros = time.micros.clamp(MIN, MAX);
        let since_epoch = Duration::from_micros(micros.unsigned_abs());
        if micros < 0 {
            UNIX_EPOCH - since_epoch
        } else {
            UNIX_EPOCH + since_epoch
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({:?}s)", self.as_unix_seconds_f64())
    }
}

/// The clock that the layer reads: the system time decides when tokens and sessions expire, and the
/// monotonic time measures ages and cooldowns.
///
/// The default is [`SystemClock`]. A test can implement its own clock to check expiry without
/// sleeping:
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::clock::{Clock, Timestamp};
///
/// /// Always returns the second in which the recorded token was issued.
/// struct Recorded;
///
/// impl Clock for Recorded {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_unix_seconds(1_795_434_242)
///     }
///     fn monotonic(&self) -> Duration {
///         Duration::ZERO
///     }
/// }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The system time.
    fn now(&self) -> Timestamp;

    /// The time since an arbitrary fixed start. It never decreases.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the operating system.
///
/// ```
/// use better_auth_layer::clock::{Clock, SystemClock, Timestamp};
///
/// assert!(SystemClock.now() > Timestamp::UNIX_EPOCH);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_round_and_infinities_saturate() {
        let at = |seconds| Timestamp::from_unix_seconds_f64(seconds);
        assert_eq!(
            at(1_795_434_242.09),
            Some(Timestamp::from_unix_millis(1_795_434_242_090))
        );
        assert_eq!(at(f64::INFINITY), Some(Timestamp::MAX));
        assert!(at(f64::NEG_INFINITY).is_some_and(|time| time < Timestamp::UNIX_EPOCH));
        assert_eq!(at(f64::NAN), None);
    }

    #[test]
    fn system_time_round_trips() {
        for millis in [-1_500, 0, 1_795_434_242_090] {
            let time = Timestamp::from_unix_millis(millis);
            assert_eq!(Timestamp::from(SystemTime::from(time)), time);
        }
        assert!(SystemTime::from(Timestamp::MAX) > UNIX_EPOCH);
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        let before = Timestamp::from_unix_millis(-1);
        assert_eq!(before.as_unix_seconds(), -1);
        assert_eq!(before.as_unix_millis(), -1);
    }
}

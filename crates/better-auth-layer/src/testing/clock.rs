//! A clock that a test advances.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// Wall time and monotonic time of a test. Clones share the time.
///
/// It starts at [`START`](Self::START), so tests do not depend on the current time.
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::clock::Clock;
/// use better_auth_layer::testing::TestClock;
///
/// let clock = TestClock::new();
/// assert_eq!(clock.now(), TestClock::START);
///
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), TestClock::START.saturating_add(Duration::from_secs(60)));
/// assert_eq!(clock.monotonic(), Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct TestClock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug)]
struct Hands {
    wall: Timestamp,
    monotonic: Duration,
}

impl TestClock {
    /// The start time: 2026-01-01T00:00:00Z.
    pub const START: Timestamp = Timestamp::from_unix_seconds(1_767_225_600);

    /// A clock at [`START`](Self::START).
    #[must_use]
    pub fn new() -> Self {
        Self::at(Self::START)
    }

    /// A clock at another time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        let hands = Hands {
            wall: time,
            monotonic: Duration::ZERO,
        };
        Self {
            hands: Arc::new(Mutex::new(hands)),
        }
    }

    /// Advances both times. Tokio's timers are not affected (see `tokio::time::advance`).
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.wall = hands.wall.saturating_add(by);
        hands.monotonic = hands.monotonic.saturating_add(by);
    }

    /// Sets the wall time, as a correction of the machine's clock does. Monotonic time does not
    /// change.
    pub fn set_wall(&self, time: Timestamp) {
        self.hands().wall = time;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }
}

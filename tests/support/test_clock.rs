//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use better_auth_layer::clock::{Clock, Timestamp};

/// The second at which the tests' clock starts: when the recorded Better Auth deployments ran.
pub const NOW: i64 = 1_795_434_242;

/// A clock in the hands of a test; clones show the same time.
#[derive(Clone, Debug)]
pub struct TestClock {
    millis: Arc<AtomicI64>,
    /// How much wall time is off.
    error: Arc<AtomicI64>,
}

impl TestClock {
    /// A clock that stands at [`NOW`].
    pub fn new() -> Self {
        Self::at(NOW)
    }

    /// A clock that stands at a second of the epoch.
    pub fn at(seconds: i64) -> Self {
        Self {
            millis: Arc::new(AtomicI64::new(seconds * 1000)),
            error: Arc::default(),
        }
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets wall time wrong by so many seconds, as somebody might who sets a machine's clock; monotonic time goes on.
    pub fn set_wrong_by(&self, seconds: i64) {
        self.error.store(seconds * 1000, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let error = self.error.load(Ordering::SeqCst);
        Timestamp::from_unix_millis(self.millis.load(Ordering::SeqCst) + error)
    }

    fn monotonic(&self) -> Duration {
        let millis = self.millis.load(Ordering::SeqCst) - NOW * 1000;
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

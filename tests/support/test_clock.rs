//! The time of the tests.

use crate::prelude::*;

/// The start of the tests' clock, in seconds: the time of the recorded Better Auth deployments.
pub const NOW: i64 = 1_795_434_242;

/// The timestamp of a second.
pub const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

/// The timestamp of [`NOW`].
pub const fn now() -> Timestamp {
    at(NOW)
}

/// A clock at [`NOW`].
pub fn clock() -> TestClock {
    TestClock::at(now())
}

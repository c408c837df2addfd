//! How long something took.

use std::time::Duration;

use crate::clock::Clock;

/// Counts by the layer's own monotonic clock, so that tests know the result.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(crate) fn start(clock: &dyn Clock) -> Self {
        Self(clock.monotonic())
    }

    pub(crate) fn elapsed(self, clock: &dyn Clock) -> Duration {
        clock.monotonic().saturating_sub(self.0)
    }
}

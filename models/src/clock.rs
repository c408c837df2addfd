//! Replaces `crate::clock` for the library's files.

use std::time::Duration;

/// Supports comparison only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(pub(crate) u64);

pub(crate) trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    fn monotonic(&self) -> Duration;
}

/// The model's time.
pub(crate) struct ModelClock;

impl Clock for ModelClock {
    fn now(&self) -> Timestamp {
        Timestamp(crate::sync::time().as_secs())
    }

    fn monotonic(&self) -> Duration {
        crate::sync::time()
    }
}

//! What is under way on a lane.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// When each batch that is under way began, the first one in front: they end in this order.
#[derive(Clone, Debug, Default)]
pub(super) struct LaneLoad(VecDeque<Instant>);

impl LaneLoad {
    pub(super) fn in_flight(&self) -> usize {
        self.0.len()
    }

    /// Whether one more may go, which it may not behind one that is slow.
    pub(super) fn has_room(&self, most: usize, slow: Duration, now: Instant) -> bool {
        let is_slow = |begun: &Instant| now.saturating_duration_since(*begun) >= slow;
        self.in_flight() < most && !self.0.front().is_some_and(is_slow)
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.0.push_back(now);
    }

    pub(super) fn end(&mut self) {
        self.0.pop_front();
    }
}

//! What is under way on a lane.

use std::collections::VecDeque;
use std::time::Duration;

use crate::sync::Instant;

/// When each batch that is under way began, the first one in front: they end in this order.
#[derive(Clone, Debug, Default)]
pub(super) struct LaneLoad(VecDeque<Instant>);

impl LaneLoad {
    pub(super) fn in_flight(&self) -> usize {
        self.0.len()
    }

    /// Whether something is under way for so long.
    pub(super) fn is_under_way_for(&self, time: Duration, now: Instant) -> bool {
        let first = self.0.front();
        first.is_some_and(|begun| now.saturating_duration_since(*begun) >= time)
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.0.push_back(now);
    }

    pub(super) fn end(&mut self) {
        self.0.pop_front();
    }
}

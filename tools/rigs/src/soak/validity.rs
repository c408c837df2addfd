//! The time during which a state is valid, as far as an observer can know.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nanoseconds since the first call.
pub(super) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    nanos(START.get_or_init(Instant::now).elapsed())
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}

const NOT_YET: u64 = u64::MAX;

/// The time of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// A change in the database: it happened between its statement and the response.
#[derive(Debug)]
struct Change {
    asked: AtomicU64,
    confirmed: AtomicU64,
}

impl Change {
    const fn not_yet() -> Self {
        Self {
            asked: AtomicU64::new(NOT_YET),
            confirmed: AtomicU64::new(NOT_YET),
        }
    }
}

/// A state with a start and an end: a session, a ban, the user of an email.
#[derive(Debug)]
pub(super) struct Validity {
    begin: Change,
    end: Change,
}

impl Validity {
    pub(super) const fn new() -> Self {
        Self {
            begin: Change::not_yet(),
            end: Change::not_yet(),
        }
    }

    pub(super) fn begins(&self) {
        self.begin.asked.store(now(), Ordering::SeqCst);
    }

    pub(super) fn has_begun(&self) {
        self.begin.confirmed.store(now(), Ordering::SeqCst);
    }

    pub(super) fn ends(&self) {
        self.end.asked.store(now(), Ordering::SeqCst);
    }

    pub(super) fn has_ended(&self) {
        self.end.confirmed.store(now(), Ordering::SeqCst);
    }

    /// Whether the state was valid all the time, including a time before.
    pub(super) fn surely(&self, span: Span, before: u64) -> bool {
        let begun = self.begin.confirmed.load(Ordering::SeqCst);
        begun.saturating_add(before) <= span.from && self.end.asked.load(Ordering::SeqCst) > span.to
    }

    /// Whether the state may have been valid, if its end is noticed with a delay.
    pub(super) fn possibly(&self, span: Span, late: u64) -> bool {
        let ended = self.end.confirmed.load(Ordering::SeqCst);
        self.begin.asked.load(Ordering::SeqCst) <= span.to
            && ended.saturating_add(late) >= span.from
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.confirmed.load(Ordering::SeqCst) != NOT_YET
    }

    /// The time since the end of the state when a request started.
    pub(super) fn over_for(&self, span: Span) -> Option<u64> {
        span.from
            .checked_sub(self.end.confirmed.load(Ordering::SeqCst))
    }
}

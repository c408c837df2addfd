//! From when to when something was so, as far as somebody outside can know.

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

/// A change in the database: it happened after it was asked for and before it was confirmed.
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

/// Something that begins and ends: a session, a ban, who has an address.
#[derive(Debug)]
pub(super) struct Tenure {
    begin: Change,
    end: Change,
}

impl Tenure {
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

    /// It was so all the time, from so long before.
    pub(super) fn surely(&self, span: Span, before: u64) -> bool {
        let begun = self.begin.confirmed.load(Ordering::SeqCst);
        begun.saturating_add(before) <= span.from && self.end.asked.load(Ordering::SeqCst) > span.to
    }

    /// It was so at some time, for those who learn of its end so much later.
    pub(super) fn possibly(&self, span: Span, late: u64) -> bool {
        let ended = self.end.confirmed.load(Ordering::SeqCst);
        self.begin.asked.load(Ordering::SeqCst) <= span.to
            && ended.saturating_add(late) >= span.from
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.confirmed.load(Ordering::SeqCst) != NOT_YET
    }

    /// For how long it had been over when a request began.
    pub(super) fn over_for(&self, span: Span) -> Option<u64> {
        span.from
            .checked_sub(self.end.confirmed.load(Ordering::SeqCst))
    }
}

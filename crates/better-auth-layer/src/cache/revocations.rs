//! What was cached before which change.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// Fewer marks than this are not worth saving memory for.
const LEAST_MARKS: usize = 1 << 10;

/// Changes, counted, and which of them was the last to concern whom.
///
/// A lookup remembers how many changes there were when it was asked. Its answer is good as long as the last change that
/// concerns its user or its session is one of those. So it makes no difference by which key an answer was found, nor
/// whether it came back before or after the change: a change outdates every answer to a question that was asked before
/// it, and none that was asked later.
///
/// Whom a change concerns is kept by hash. Where two users meet in one place, a change of one outdates the answers of
/// the other as well, which costs a lookup; never the other way round.
pub(super) struct Revocations {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    changes: AtomicU64,
    last_of_all: AtomicU64,
    last: Box<[AtomicU64]>,
    /// Up to which microsecond of monotonic time somebody promises to announce changes; [`NOBODY`] if no one ever has.
    announced_until: AtomicU64,
}

/// No one announces changes or ever has.
const NOBODY: u64 = u64::MAX;

/// How many changes there were.
#[derive(Clone, Copy)]
pub(super) struct Generation(u64);

/// The places of those whom an answer is about.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    user: usize,
    session: Option<usize>,
}

/// Whether somebody says what changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announcements {
    /// Nobody promised to.
    Never,
    /// Just now somebody does.
    Promised,
    /// Somebody did, and does not just now.
    Lapsed,
}

/// Whom a change concerns.
#[derive(Clone, Copy, Hash)]
pub(super) enum Concerned<'a> {
    User(&'a str),
    Session(&'a str),
}

impl Revocations {
    pub(super) fn new(clock: Arc<dyn Clock>, entries: usize) -> Self {
        let marks = entries.max(LEAST_MARKS);
        Self {
            clock,
            hasher: RandomState::new(),
            changes: AtomicU64::new(0),
            last_of_all: AtomicU64::new(0),
            last: (0..marks).map(|_| AtomicU64::new(0)).collect(),
            announced_until: AtomicU64::new(NOBODY),
        }
    }

    /// What a question that is asked now will know.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.changes.load(Ordering::SeqCst))
    }

    pub(super) fn marks(&self, user_id: &str, session_id: Option<&str>) -> Marks {
        Marks {
            user: self.place(Concerned::User(user_id)),
            session: session_id.map(|id| self.place(Concerned::Session(id))),
        }
    }

    /// Whether nothing has changed for them since.
    pub(super) fn are_unchanged(&self, marks: Marks, since: Generation) -> bool {
        let unchanged = |last: &AtomicU64| last.load(Ordering::SeqCst) <= since.0;
        let at = |place: usize| self.last.get(place).is_some_and(unchanged);
        unchanged(&self.last_of_all) && at(marks.user) && marks.session.is_none_or(at)
    }

    pub(super) fn revoke(&self, whom: Concerned<'_>) {
        if let Some(last) = self.last.get(self.place(whom)) {
            last.fetch_max(self.change(), Ordering::SeqCst);
        }
    }

    pub(super) fn revoke_all(&self) {
        self.last_of_all.fetch_max(self.change(), Ordering::SeqCst);
    }

    /// Counted before it is marked: who has seen the count asked after the change.
    fn change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn place(&self, whom: Concerned<'_>) -> usize {
        self.hasher.hash_one(whom) as usize % self.last.len()
    }

    pub(super) fn promise(&self, duration: Duration) {
        let now = self.clock.monotonic();
        if self.announcements(now) != Announcements::Promised {
            // What changed before nobody has announced.
            self.revoke_all();
        }
        let until = micros(now.saturating_add(duration)).min(NOBODY - 1);
        self.announced_until.store(until, Ordering::SeqCst);
    }

    pub(super) fn break_promise(&self) {
        self.announced_until.store(0, Ordering::SeqCst);
    }

    pub(super) fn announcements(&self, now: Duration) -> Announcements {
        match self.announced_until.load(Ordering::SeqCst) {
            NOBODY => Announcements::Never,
            until if micros(now) < until => Announcements::Promised,
            _ => Announcements::Lapsed,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

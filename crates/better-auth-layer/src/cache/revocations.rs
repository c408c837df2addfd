//! Revocations, and the lease of the listener that reports them.
//!
//! Revocations are counted, and each user and session has a mark: the number of its last
//! revocation. A lookup records the count when it is sent, and its result is valid while the marks
//! of its user and session are not higher. The check therefore does not depend on the lookup key or
//! on the time at which the result arrived: a revocation invalidates exactly the results of lookups
//! sent before it.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// A smaller table would not save a relevant amount of memory.
const MIN_MARKS: usize = 1 << 10;

/// The marks of users and sessions, in a table of fixed size.
///
/// The index is a keyed hash. If two ids share an index, a revocation of one also invalidates the
/// entries of the other, which costs a lookup. A revocation is never missed.
pub(super) struct Revocations {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    /// Number of revocations so far.
    count: AtomicU64,
    /// Number of the last revocation of everything.
    last_of_all: AtomicU64,
    marks: Box<[AtomicU64]>,
    /// End of the lease in microseconds of monotonic time, or [`NEVER_LEASED`].
    lease_end: AtomicU64,
}

const NEVER_LEASED: u64 = u64::MAX;

/// The number of revocations at a point in time.
#[derive(Clone, Copy)]
pub(super) struct Generation(u64);

/// The indices of the marks of a result.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    user: usize,
    session: Option<usize>,
}

/// The state of the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// No listener has ever extended it.
    Unused,
    /// A listener reports revocations.
    Active,
    /// A listener reported revocations, but does not at present.
    Expired,
}

/// The subject of a revocation.
#[derive(Clone, Copy, Hash)]
pub(super) enum Subject<'a> {
    User(&'a str),
    Session(&'a str),
}

impl Revocations {
    pub(super) fn new(clock: Arc<dyn Clock>, entries: usize) -> Self {
        let marks = entries.max(MIN_MARKS);
        Self {
            clock,
            hasher: RandomState::new(),
            count: AtomicU64::new(0),
            last_of_all: AtomicU64::new(0),
            marks: (0..marks).map(|_| AtomicU64::new(0)).collect(),
            lease_end: AtomicU64::new(NEVER_LEASED),
        }
    }

    /// The current generation, read before a lookup is sent.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.count.load(Ordering::SeqCst))
    }

    pub(super) fn marks(&self, user_id: &str, session_id: Option<&str>) -> Marks {
        Marks {
            user: self.index(Subject::User(user_id)),
            session: session_id.map(|id| self.index(Subject::Session(id))),
        }
    }

    /// Whether the user or the session was revoked after a generation.
    pub(super) fn have_revoked(&self, marks: Marks, since: Generation) -> bool {
        let is_later = |mark: &AtomicU64| mark.load(Ordering::SeqCst) > since.0;
        let at = |index: usize| self.marks.get(index).is_none_or(is_later);
        is_later(&self.last_of_all) || at(marks.user) || marks.session.is_some_and(at)
    }

    pub(super) fn revoke(&self, subject: Subject<'_>) {
        if let Some(mark) = self.marks.get(self.index(subject)) {
            mark.fetch_max(self.next_number(), Ordering::SeqCst);
        }
    }

    pub(super) fn revoke_all(&self) {
        self.last_of_all
            .fetch_max(self.next_number(), Ordering::SeqCst);
    }

    /// Increments the count. This comes before the mark is set: a lookup that reads the new count
    /// is sent after the revocation.
    fn next_number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn index(&self, subject: Subject<'_>) -> usize {
        self.hasher.hash_one(subject) as usize % self.marks.len()
    }

    pub(super) fn extend_lease(&self, duration: Duration) {
        let now = self.clock.monotonic();
        if self.lease(now) != Lease::Active {
            // Revocations before the lease were not reported.
            self.revoke_all();
        }
        let end = micros(now.saturating_add(duration)).min(NEVER_LEASED - 1);
        self.lease_end.store(end, Ordering::SeqCst);
    }

    pub(super) fn end_lease(&self) {
        self.lease_end.store(0, Ordering::SeqCst);
    }

    pub(super) fn lease(&self, now: Duration) -> Lease {
        match self.lease_end.load(Ordering::SeqCst) {
            NEVER_LEASED => Lease::Unused,
            end if micros(now) < end => Lease::Active,
            _ => Lease::Expired,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

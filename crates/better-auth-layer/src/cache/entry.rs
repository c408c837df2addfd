//! A cached result, with the data that decides how long it is valid.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::revocations::{Generation, Marks, Revocations};
use crate::clock::Timestamp;
use crate::store::{Lookup, Resolution};

/// The time and the generation of revocations at which a lookup was sent.
#[derive(Clone, Copy)]
pub(super) struct SentAt {
    pub(super) time: Duration,
    pub(super) generation: Generation,
}

/// A user with a session or an API key.
pub(super) struct Entry {
    pub(super) resolution: Resolution,
    sent_at: SentAt,
    marks: Marks,
    is_refreshing: AtomicBool,
}

impl Entry {
    /// Returns `None` if the result is not cacheable: nothing was found, the result does not match
    /// the lookup, or it has been revoked since the lookup was sent.
    pub(super) fn new(
        lookup: &Lookup<'_>,
        resolution: &Resolution,
        sent_at: SentAt,
        revocations: &Revocations,
    ) -> Option<Self> {
        let marks = match resolution {
            Resolution::Found { user, session } => lookup
                .is_answered_by(user, session)
                .then(|| revocations.marks(user.id(), Some(session.id()))),
            Resolution::FoundApiKey { user, api_key } => lookup
                .is_answered_by_api_key(user, api_key)
                .then(|| revocations.marks(user.id(), None)),
            Resolution::ApiKeyNotFound | Resolution::UserNotFound | Resolution::NoActiveSession => {
                None
            }
        };
        let entry = Self {
            resolution: resolution.clone(),
            sent_at,
            marks: marks?,
            is_refreshing: AtomicBool::new(false),
        };
        (!entry.is_revoked(revocations)).then_some(entry)
    }

    /// Whether the user or the session was revoked after the lookup was sent.
    pub(super) fn is_revoked(&self, revocations: &Revocations) -> bool {
        revocations.have_revoked(self.marks, self.sent_at.generation)
    }

    /// Whether the session or the API key has not expired.
    pub(super) fn is_active_at(&self, now: Timestamp) -> bool {
        match &self.resolution {
            Resolution::Found { session, .. } => session.is_active_at(now),
            Resolution::FoundApiKey { api_key, .. } => !api_key.is_expired_at(now),
            Resolution::ApiKeyNotFound | Resolution::UserNotFound | Resolution::NoActiveSession => {
                false
            }
        }
    }

    pub(super) fn is_api_key(&self) -> bool {
        matches!(self.resolution, Resolution::FoundApiKey { .. })
    }

    pub(super) fn age_at(&self, now: Duration) -> Duration {
        now.saturating_sub(self.sent_at.time)
    }

    /// Returns `true` once, to the caller that refreshes the entry.
    pub(super) fn begin_refresh(&self) -> bool {
        // The load comes first so that later hits do not write to shared memory.
        !self.is_refreshing.load(Ordering::Relaxed)
            && !self.is_refreshing.swap(true, Ordering::Relaxed)
    }
}

//! An answer of a store, with what says how long it is good.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::revocations::{Generation, Marks, Revocations};
use crate::clock::Timestamp;
use crate::store::{Lookup, Resolution};

/// When a question was asked.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Duration,
    pub(super) generation: Generation,
}

/// A user with a session or an API key.
pub(super) struct Answer {
    pub(super) resolution: Resolution,
    pub(super) asked: Asked,
    marks: Marks,
    is_refreshed: AtomicBool,
}

impl Answer {
    /// `None` where it is one that is not kept: nobody was found, or somebody who was not asked for.
    pub(super) fn to(
        lookup: &Lookup<'_>,
        resolution: &Resolution,
        asked: Asked,
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
        let answer = Self {
            resolution: resolution.clone(),
            asked,
            marks: marks?,
            is_refreshed: AtomicBool::new(false),
        };
        answer.is_unchanged(revocations).then_some(answer)
    }

    /// Whether nothing has been changed since it was asked for.
    pub(super) fn is_unchanged(&self, revocations: &Revocations) -> bool {
        revocations.are_unchanged(self.marks, self.asked.generation)
    }

    /// Whether the session or the API key has not ended.
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
        now.saturating_sub(self.asked.at)
    }

    /// True once, for the one who is to ask again.
    pub(super) fn begin_refresh(&self) -> bool {
        // Read first: all hits but one write nothing.
        !self.is_refreshed.load(Ordering::Relaxed)
            && !self.is_refreshed.swap(true, Ordering::Relaxed)
    }
}

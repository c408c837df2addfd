//! What has happened in a model, so that none is content because nothing did.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static SEEN: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());

pub(crate) fn saw(what: &'static str) {
    *seen().entry(what).or_default() += 1;
}

/// All sightings since the last time, with their numbers.
pub(crate) fn take() -> BTreeMap<&'static str, u64> {
    std::mem::take(&mut *seen())
}

fn seen() -> std::sync::MutexGuard<'static, BTreeMap<&'static str, u64>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

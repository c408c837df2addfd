//! Counts of the events in a model, to detect a model that does not exercise the code.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static SEEN: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());

pub(crate) fn saw(event: &'static str) {
    *seen().entry(event).or_default() += 1;
}

/// Returns the counts since the last call.
pub(crate) fn take() -> BTreeMap<&'static str, u64> {
    std::mem::take(&mut *seen())
}

fn seen() -> std::sync::MutexGuard<'static, BTreeMap<&'static str, u64>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

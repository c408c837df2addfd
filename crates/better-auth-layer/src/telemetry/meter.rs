//! Counts through the `metrics` facade.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder, counter, gauge, with_recorder};

use crate::metrics::{JWKS_AGE, JWKS_FETCHES, LOOKUP_DURATION, LOOKUPS, REQUESTS, VERIFY_DURATION};

pub(crate) const MEASURES: bool = true;

const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

type Labels = [(&'static str, &'static str); 2];

thread_local! {
    /// The keys that were needed so far. There are few, as there are few words in labels; made for every request anew,
    /// each would cost an allocation.
    static KEYS: RefCell<HashMap<(&'static str, Labels), Rc<Key>>> = RefCell::default();
}

pub(crate) fn request(outcome: &'static str, credential: &'static str) {
    count(REQUESTS, [("outcome", outcome), ("credential", credential)]);
}

pub(crate) fn verified(credential: &'static str, duration: Duration) {
    let labels = [("credential", credential), NO_LABEL];
    record(VERIFY_DURATION, labels, duration);
}

pub(crate) fn lookup(kind: &'static str, outcome: &'static str, duration: Duration) {
    count(LOOKUPS, [("kind", kind), ("answered_by", "store")]);
    let labels = [("kind", kind), ("outcome", outcome)];
    record(LOOKUP_DURATION, labels, duration);
}

pub(crate) fn answered_at_once(kind: &'static str) {
    count(LOOKUPS, [("kind", kind), ("answered_by", "cache")]);
}

pub(crate) fn jwks_fetched(succeeded: bool) {
    let outcome = if succeeded { "fetched" } else { "failed" };
    counter!(JWKS_FETCHES, "outcome" => outcome).increment(1);
}

pub(crate) fn jwks_age(age: Duration) {
    gauge!(JWKS_AGE).set(age);
}

const NO_LABEL: (&str, &str) = ("", "");

fn count(name: &'static str, labels: Labels) {
    with_key(name, labels, |recorder, key| {
        recorder.register_counter(key, &METADATA).increment(1);
    });
}

fn record(name: &'static str, labels: Labels, duration: Duration) {
    with_key(name, labels, |recorder, key| {
        recorder.register_histogram(key, &METADATA).record(duration);
    });
}

fn with_key(name: &'static str, labels: Labels, tell: impl FnOnce(&dyn Recorder, &Key)) {
    // Nothing is borrowed while the recorder runs, which is not ours. A thread that is ending has no map any more.
    let key = KEYS.try_with(|keys| {
        let mut keys = keys.borrow_mut();
        Rc::clone(
            keys.entry((name, labels))
                .or_insert_with(|| key(name, labels)),
        )
    });
    let key = key.unwrap_or_else(|_| self::key(name, labels));
    with_recorder(|recorder| tell(recorder, &key));
}

fn key(name: &'static str, labels: Labels) -> Rc<Key> {
    let labels = labels.iter().filter(|label| **label != NO_LABEL);
    let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
    Rc::new(Key::from_parts(name, labels.collect::<Vec<_>>()))
}

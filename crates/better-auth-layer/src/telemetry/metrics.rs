//! Emits metrics through the `metrics` facade, or does nothing without the feature `metrics`.

#[cfg(not(feature = "metrics"))]
pub(crate) use self::disabled::*;
#[cfg(feature = "metrics")]
pub(crate) use self::enabled::*;

#[cfg(feature = "metrics")]
mod enabled {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::rc::Rc;
    use std::time::Duration;

    use metrics::{Key, Label, Level, Metadata, Recorder, counter, gauge, with_recorder};

    use crate::metrics::{
        JWKS_AGE, JWKS_FETCHES, LOOKUP_DURATION, LOOKUPS, REQUESTS, VERIFY_DURATION,
    };

    pub(crate) const ENABLED: bool = true;

    const METADATA: Metadata<'static> =
        Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

    type Labels = [(&'static str, &'static str); 2];

    thread_local! {
        /// Keys of the metrics that every request emits. The facade's macros allocate a key per
        /// call unless all label values are literals, which would triple the allocations of a
        /// request with a cached JWT; the number of keys is bounded by the label values.
        static KEYS: RefCell<HashMap<(&'static str, Labels), Rc<Key>>> = RefCell::default();
    }

    pub(crate) fn record_request(outcome: &'static str, credential: &'static str) {
        count(REQUESTS, [("outcome", outcome), ("credential", credential)]);
    }

    pub(crate) fn record_verification(credential: &'static str, duration: Duration) {
        observe(
            VERIFY_DURATION,
            [("credential", credential), NO_LABEL],
            duration,
        );
    }

    pub(crate) fn record_lookup(kind: &'static str, outcome: &'static str, duration: Duration) {
        count(LOOKUPS, [("kind", kind), ("answered_by", "store")]);
        let labels = [("kind", kind), ("outcome", outcome)];
        observe(LOOKUP_DURATION, labels, duration);
    }

    pub(crate) fn record_cache_hit(kind: &'static str) {
        count(LOOKUPS, [("kind", kind), ("answered_by", "cache")]);
    }

    pub(crate) fn record_key_fetch(succeeded: bool) {
        let outcome = if succeeded { "fetched" } else { "failed" };
        counter!(JWKS_FETCHES, "outcome" => outcome).increment(1);
    }

    pub(crate) fn record_key_age(age: Duration) {
        gauge!(JWKS_AGE).set(age);
    }

    const NO_LABEL: (&str, &str) = ("", "");

    fn count(name: &'static str, labels: Labels) {
        with_key(name, labels, |recorder, key| {
            recorder.register_counter(key, &METADATA).increment(1);
        });
    }

    fn observe(name: &'static str, labels: Labels, duration: Duration) {
        with_key(name, labels, |recorder, key| {
            recorder.register_histogram(key, &METADATA).record(duration);
        });
    }

    fn with_key(name: &'static str, labels: Labels, emit: impl FnOnce(&dyn Recorder, &Key)) {
        // The borrow ends before the recorder runs, which may itself emit metrics. The map is
        // unavailable while its thread exits.
        let key = KEYS.try_with(|keys| {
            let mut keys = keys.borrow_mut();
            let entry = keys.entry((name, labels));
            Rc::clone(entry.or_insert_with(|| key(name, labels)))
        });
        let key = key.unwrap_or_else(|_| self::key(name, labels));
        with_recorder(|recorder| emit(recorder, &key));
    }

    fn key(name: &'static str, labels: Labels) -> Rc<Key> {
        let labels = labels.iter().filter(|label| **label != NO_LABEL);
        let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
        Rc::new(Key::from_parts(name, labels.collect::<Vec<_>>()))
    }
}

#[cfg(not(feature = "metrics"))]
mod disabled {
    use std::time::Duration;

    pub(crate) const ENABLED: bool = false;

    pub(crate) fn record_request(_outcome: &'static str, _credential: &'static str) {}

    pub(crate) fn record_verification(_credential: &'static str, _duration: Duration) {}

    pub(crate) fn record_lookup(_kind: &'static str, _outcome: &'static str, _duration: Duration) {}

    pub(crate) fn record_cache_hit(_kind: &'static str) {}

    pub(crate) fn record_key_fetch(_succeeded: bool) {}

    pub(crate) fn record_key_age(_age: Duration) {}
}

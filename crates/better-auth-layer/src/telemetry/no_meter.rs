//! Nothing is counted: the feature `metrics` is off.

use std::time::Duration;

/// Whether anybody wants to know how long something took.
pub(crate) const MEASURES: bool = false;

pub(crate) fn request(_outcome: &'static str, _credential: &'static str) {}

pub(crate) fn verified(_credential: &'static str, _duration: Duration) {}

pub(crate) fn lookup(_kind: &'static str, _outcome: &'static str, _duration: Duration) {}

pub(crate) fn answered_at_once(_kind: &'static str) {}

pub(crate) fn jwks_fetched(_succeeded: bool) {}

pub(crate) fn jwks_age(_age: Duration) {}

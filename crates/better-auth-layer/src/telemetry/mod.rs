//! What is told about requests: a span for each, and metrics where the feature is on.

#[cfg_attr(feature = "metrics", path = "meter.rs")]
#[cfg_attr(not(feature = "metrics"), path = "no_meter.rs")]
pub(crate) mod meter;
mod observation;
mod stopwatch;

pub(crate) use self::observation::Observation;
pub(crate) use self::stopwatch::Stopwatch;

//! Response times.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::error::Error;

/// Longer times are recorded as this.
const LONGEST: Duration = Duration::from_secs(60);

/// Latencies with three digits.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self(Histogram::new_with_max(LONGEST.as_nanos() as u64, 3)?))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(latency.as_nanos() as u64);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// In microseconds.
    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1e3
    }
}

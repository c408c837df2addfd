//! What is counted, in the form that Prometheus reads.

use std::time::Duration;

use http::{HeaderValue, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::body::ServerBody;
use crate::start_error::StartError;

/// From a lookup on this machine to the deadline of one, in seconds.
const BUCKETS: [f64; 12] = [
    0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0,
];

/// What comes in between two visits of Prometheus is held; this is how long at most.
const UPKEEP: Duration = Duration::from_secs(5);

/// The numbers of this process.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Counts from now on.
    pub(crate) fn start() -> Result<Self, StartError> {
        let refused = |error| StartError::new(format!("nothing can be counted: {error}"));
        let handle = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(refused)?;
        better_auth_layer::metrics::describe();
        let upkeep = handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self(handle))
    }

    /// `GET /metrics`
    pub(crate) fn response(&self) -> Response<ServerBody> {
        let text = Full::from(self.0.render());
        let mut response = Response::new(text.map_err(Into::into).boxed_unsync());
        let prometheus = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, prometheus);
        response
    }
}

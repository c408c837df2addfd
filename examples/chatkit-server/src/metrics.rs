//! Metrics in the Prometheus format.

use std::time::Duration;

use chatkit_service::BoxBody;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::Error;

/// Histogram buckets in seconds, from a cache hit to the timeout of a lookup.
const BUCKETS: [f64; 12] = [
    0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0,
];

pub(crate) fn start() -> Result<PrometheusHandle, Error> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)?
        .install_recorder()?;
    better_auth_layer::metrics::describe();
    let upkeep = handle.clone();
    // Without upkeep, samples accumulate between two scrapes.
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// The response to `GET /metrics`.
pub(crate) fn response(metrics: &PrometheusHandle) -> Response<BoxBody> {
    let body = Full::from(metrics.render()).map_err(Into::into);
    let mut response = Response::new(body.boxed_unsync());
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

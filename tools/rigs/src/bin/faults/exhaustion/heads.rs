//! Request heads that are too large.

use std::sync::Arc;

use crate::check::Check;
use crate::options::Scale;
use crate::rig::{Fixture, Flood, Overload, post, unauthorized};

const MANY: u64 = 20_000;
const CONNECTIONS: usize = 64;

/// The limit of memory growth in MiB. Each connection has a buffer for a head.
const PEAK: u64 = 64;

/// A token of 60 KiB, which is read and rejected, and one of 64 KiB, which makes the head too
/// large.
pub(crate) async fn large(scale: Scale) -> Check {
    let head = |kibibytes: usize| {
        let token = "x".repeat(kibibytes * 1024);
        post(&format!("authorization: Bearer {token}\r\n"))
    };
    let heads = [head(60), head(64)];
    flood(scale, move |number| {
        heads[usize::from(number % 2 == 0)].clone()
    })
    .await
}

/// Three hundred header lines with a limit of a hundred.
pub(crate) async fn many(scale: Scale) -> Check {
    let lines: String = (0..300)
        .map(|number| format!("x-{number}: 1\r\n"))
        .collect();
    let head = post(&lines);
    flood(scale, move |_| head.clone()).await
}

async fn flood(scale: Scale, make: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static) -> Check {
    let fixture = Fixture::usual().await;
    let flood = Flood {
        address: fixture.server.address,
        connections: CONNECTIONS,
        make: Arc::new(make),
        is_due: |status, body| status == 431 || unauthorized(status, body),
    };
    let overload = Overload::begin(&fixture, |_| false).await;
    let flooded = flood.run(0..scale.of(MANY)).await;
    let counts = flooded.counts();
    let mut violations = flooded.violations;
    if !flooded.counts.contains_key(&431) {
        violations.push("no head was too large".to_owned());
    }
    overload
        .conclude(counts, flooded.took, PEAK, violations)
        .await
}

//! Counts allocations per authenticated request, with a service that does nothing. The counts are
//! the same on every machine.

use std::alloc::System;
use std::convert::Infallible;

use http::{Request, Response};
use micro::{Fixture, parts};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower::{Layer as _, ServiceExt as _, service_fn};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const REQUESTS: usize = 1_000;

fn main() {
    let fixture = Fixture::new();
    let session = &fixture.session;
    let inner =
        service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let cached = fixture.layer(fixture.cached_store());
    let memory = fixture.layer(fixture.store());
    let mut results = Vec::new();
    for (name, layer, credential) in [
        ("HS256, cached", &cached, session.secret_jwt().mint()),
        ("EdDSA, cached", &cached, session.jwt().mint()),
        ("session cookie, cached", &cached, session.cookie()),
        (
            "HS256, user in memory",
            &memory,
            session.secret_jwt().mint(),
        ),
    ] {
        let service = layer.layer(inner);
        let parts = parts(&credential);
        let count = |answer: &dyn Fn(Request<()>)| {
            answer(Request::from_parts(parts.clone(), ()));
            let region = Region::new(ALLOCATOR);
            for _ in 0..REQUESTS {
                answer(Request::from_parts(parts.clone(), ()));
            }
            let change = region.change();
            [change.allocations, change.bytes_allocated].map(|all| all as f64 / REQUESTS as f64)
        };
        // Cloning the request head is not part of the layer's cost.
        let without = count(&|request| drop(fixture.runtime.block_on(inner.oneshot(request))));
        let with = count(&|request| {
            let answer = fixture.runtime.block_on(service.clone().oneshot(request));
            assert!(
                answer.is_ok_and(|answer| answer.status().is_success()),
                "{name} is refused"
            );
        });
        results.push(json!({"name": name, "allocations": with[0] - without[0], "bytes": with[1] - without[1]}));
    }
    println!("{}", json!(results));
}

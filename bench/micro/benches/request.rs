//! The cost of each step of a request, without a network: `cargo xtask bench micro`.

use std::convert::Infallible;
use std::hint::black_box;

use better_auth_layer::{Lookup, UserStore};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use micro::{Fixture, parts};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

fn steps(criterion: &mut Criterion) {
    let fixture = Fixture::new();
    let (layer, uncached_layer) = (
        fixture.layer(fixture.store()),
        fixture.uncached_layer(fixture.store()),
    );
    let session = &fixture.session;

    let no_token = Request::post("/support/chatkit")
        .header("authorization", "Bearer not-a-token")
        .body(());
    let no_token = no_token.expect("a request").into_parts().0;
    let uncached = uncached_layer.authenticator();
    let authenticator = layer.authenticator();
    for (name, authenticator, parts, is_authenticated) in [
        ("reject a malformed token", uncached, no_token, false),
        (
            "HS256, uncached, user in memory",
            uncached,
            parts(&session.secret_jwt().mint()),
            true,
        ),
        (
            "EdDSA, uncached, user in memory",
            uncached,
            parts(&session.jwt().mint()),
            true,
        ),
        (
            "HS256, cached verification, user in memory",
            authenticator,
            parts(&session.secret_jwt().mint()),
            true,
        ),
        (
            "EdDSA, cached verification, user in memory",
            authenticator,
            parts(&session.jwt().mint()),
            true,
        ),
        (
            "session cookie, user in memory",
            authenticator,
            parts(&session.cookie()),
            true,
        ),
    ] {
        let authenticate = || {
            fixture
                .runtime
                .block_on(async { authenticator.authenticate(black_box(&parts)).await })
        };
        assert_eq!(authenticate().is_ok(), is_authenticated, "{name}");
        criterion.bench_function(name, |bencher| bencher.iter(authenticate));
    }
}

fn stores(criterion: &mut Criterion) {
    let fixture = Fixture::new();
    let lookup = || Lookup::by_email("ada@example.com", fixture.now());
    let memory = fixture.store();
    criterion.bench_function("memory store", |bencher| {
        bencher.iter(|| {
            fixture
                .runtime
                .block_on(async { memory.resolve(black_box(lookup())).await })
        });
    });
    let cache = fixture.cached_store();
    fixture
        .runtime
        .block_on(cache.resolve(lookup()))
        .expect("a resolution");
    assert!(
        cache.try_resolve(&lookup()).is_some(),
        "the cache has no entry"
    );
    criterion.bench_function("cache hit", |bencher| {
        bencher.iter(|| cache.try_resolve(black_box(&lookup())))
    });
}

/// The complete layer, without a server.
fn layer(criterion: &mut Criterion) {
    let fixture = Fixture::new();
    let cached = fixture.cached_store();
    let layer = fixture.layer(cached);
    let inner =
        service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let service = ServiceBuilder::new().layer(layer).service(inner);
    for (name, credential) in [
        ("layer, HS256, cached", fixture.session.secret_jwt().mint()),
        ("layer, EdDSA, cached", fixture.session.jwt().mint()),
    ] {
        let parts = parts(&credential);
        let call = || {
            let request = Request::from_parts(parts.clone(), ());
            fixture
                .runtime
                .block_on(service.clone().oneshot(request))
                .expect("infallible")
        };
        assert!(call().status().is_success(), "{name}");
        criterion.bench_function(name, |bencher| bencher.iter(call));
    }
    let parts = parts(&fixture.session.secret_jwt().mint());
    criterion.bench_function("no layer", |bencher| {
        bencher.iter(|| {
            let request = Request::from_parts(parts.clone(), ());
            fixture.runtime.block_on(inner.oneshot(request))
        });
    });
}

criterion_group!(benches, steps, stores, layer);
criterion_main!(benches);

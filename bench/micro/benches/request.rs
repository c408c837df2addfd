//! What the steps of a request cost, each by itself, without a network: `cargo xtask bench micro`.

use std::convert::Infallible;
use std::hint::black_box;

use better_auth_layer::{Lookup, UserStore};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use micro::{World, parts};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

fn steps(criterion: &mut Criterion) {
    let world = World::new();
    let (layer, forgetful) = (
        world.layer(world.store()),
        world.forgetful_layer(world.store()),
    );
    let session = &world.session;

    let no_token = Request::post("/support/chatkit")
        .header("authorization", "Bearer not-a-token")
        .body(());
    let no_token = no_token.expect("a request").into_parts().0;
    let anew = forgetful.authenticator();
    let authenticator = layer.authenticator();
    for (name, authenticator, parts, is_accepted) in [
        ("extract and refuse what is no token", anew, no_token, false),
        (
            "verify HS256 anew, user in memory",
            anew,
            parts(&session.secret_jwt().mint()),
            true,
        ),
        (
            "verify EdDSA anew, user in memory",
            anew,
            parts(&session.jwt().mint()),
            true,
        ),
        (
            "HS256 again, user in memory",
            authenticator,
            parts(&session.secret_jwt().mint()),
            true,
        ),
        (
            "EdDSA again, user in memory",
            authenticator,
            parts(&session.jwt().mint()),
            true,
        ),
        (
            "verify a session cookie, user in memory",
            authenticator,
            parts(&session.cookie()),
            true,
        ),
    ] {
        let authenticate = || {
            world
                .runtime
                .block_on(async { authenticator.authenticate(black_box(&parts)).await })
        };
        assert_eq!(authenticate().is_ok(), is_accepted, "{name}");
        criterion.bench_function(name, |bencher| bencher.iter(authenticate));
    }
}

fn stores(criterion: &mut Criterion) {
    let world = World::new();
    let lookup = || Lookup::by_email("ada@example.com", world.now());
    let memory = world.store();
    criterion.bench_function("memory store", |bencher| {
        bencher.iter(|| {
            world
                .runtime
                .block_on(async { memory.resolve(black_box(lookup())).await })
        });
    });
    let cache = world.cached_store();
    world
        .runtime
        .block_on(cache.resolve(lookup()))
        .expect("an answer");
    assert!(
        cache.try_resolve(&lookup()).is_some(),
        "the cache has nobody"
    );
    criterion.bench_function("cache hit", |bencher| {
        bencher.iter(|| cache.try_resolve(black_box(&lookup())))
    });
}

/// Everything between a request and its answer, except for the server.
fn layer(criterion: &mut Criterion) {
    let world = World::new();
    let cached = world.cached_store();
    let layer = world.layer(cached);
    let inner =
        service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let service = ServiceBuilder::new().layer(layer).service(inner);
    for (name, credential) in [
        ("layer, HS256, cached", world.session.secret_jwt().mint()),
        ("layer, EdDSA, cached", world.session.jwt().mint()),
    ] {
        let parts = parts(&credential);
        let call = || {
            let request = Request::from_parts(parts.clone(), ());
            world
                .runtime
                .block_on(service.clone().oneshot(request))
                .expect("infallible")
        };
        assert!(call().status().is_success(), "{name}");
        criterion.bench_function(name, |bencher| bencher.iter(call));
    }
    let parts = parts(&world.session.secret_jwt().mint());
    criterion.bench_function("no layer", |bencher| {
        bencher.iter(|| {
            let request = Request::from_parts(parts.clone(), ());
            world.runtime.block_on(inner.oneshot(request))
        });
    });
}

criterion_group!(benches, steps, stores, layer);
criterion_main!(benches);

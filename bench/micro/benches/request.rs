//! What the steps of a request cost, each by itself, without a network: `cargo xtask bench micro`.

use std::convert::Infallible;
use std::hint::black_box;

use better_auth_layer::testing::{Credential, TestIssuer, TestSession};
use better_auth_layer::{
    BetterAuthLayer, CachedStore, Clock, KeySet, Lookup, MemoryStore, SystemClock, UserStore,
};
use criterion::{Criterion, criterion_group, criterion_main};
use http::request::Parts;
use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

/// A deployment with one user who has signed in.
struct World {
    issuer: TestIssuer,
    session: TestSession,
    runtime: Runtime,
}

impl World {
    fn new() -> Self {
        let issuer = TestIssuer::new();
        let session = issuer.user("ada@example.com").create().sign_in();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            issuer,
            session,
            runtime,
        }
    }

    fn store(&self) -> MemoryStore {
        let store = MemoryStore::new();
        store.insert_user(self.session.user().to_user());
        store.insert_session(self.session.to_session());
        store
    }

    fn layer(&self, store: impl UserStore) -> BetterAuthLayer {
        let keys: KeySet = self.issuer.jwks_json().parse().expect("keys");
        let builder = self.issuer.layer_builder().key_source(keys).store(store);
        builder.build().expect("a layer")
    }
}

fn parts(credential: &Credential) -> Parts {
    let request = credential
        .apply(Request::post("/support/chatkit"))
        .body(())
        .expect("a request");
    request.into_parts().0
}

fn steps(criterion: &mut Criterion) {
    let world = World::new();
    let layer = world.layer(world.store());
    let authenticator = layer.authenticator();
    let session = &world.session;

    let no_token = Request::post("/support/chatkit")
        .header("authorization", "Bearer not-a-token")
        .body(());
    let no_token = no_token.expect("a request").into_parts().0;
    for (name, parts, is_accepted) in [
        ("extract and refuse what is no token", no_token, false),
        (
            "verify HS256, user in memory",
            parts(&session.secret_jwt().mint()),
            true,
        ),
        (
            "verify EdDSA, user in memory",
            parts(&session.jwt().mint()),
            true,
        ),
        (
            "verify a session cookie, user in memory",
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
    let lookup = || Lookup::by_email("ada@example.com", SystemClock.now());
    let memory = world.store();
    criterion.bench_function("memory store", |bencher| {
        bencher.iter(|| {
            world
                .runtime
                .block_on(async { memory.resolve(black_box(lookup())).await })
        });
    });
    // Kept for longer than the benchmark runs.
    let minutes = std::time::Duration::from_secs(300);
    let cache = CachedStore::builder(world.store())
        .ttl(minutes)
        .build()
        .expect("a cache");
    world
        .runtime
        .block_on(cache.resolve(lookup()))
        .expect("an answer");
    assert!(
        cache.resolve_now(&lookup()).is_some(),
        "the cache has nobody"
    );
    criterion.bench_function("cache hit", |bencher| {
        bencher.iter(|| cache.resolve_now(black_box(&lookup())))
    });
}

/// Everything between a request and its answer, except for the server.
fn layer(criterion: &mut Criterion) {
    let world = World::new();
    let cached = CachedStore::builder(world.store())
        .ttl(std::time::Duration::from_secs(300))
        .build()
        .expect("a cache");
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

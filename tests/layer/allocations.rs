//! Heap allocations per request: the count must not rise.
//!
//! Counted are the allocations that the layer adds, without those of `http` for an extension.

use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use support::prelude::*;

use allocation_counter::measure;
use http::{Request, Response};
use tower::{Layer, Service, service_fn};

/// A request as a server creates it.
fn request(credential: &Credential) -> Request<()> {
    let request = Request::post("/support/chatkit")
        .header("host", "app.example.com")
        .header("accept", "text/event-stream")
        .header("user-agent", "a client");
    credential.apply(request).body(()).unwrap()
}

/// The lowest number of allocations of a request through the layer and back.
fn allocations(auth: &BetterAuthLayer, credential: &Credential) -> u64 {
    let mut service = auth.layer(service_fn(|request: Request<()>| {
        assert!(request.extensions().get::<Identity>().is_some());
        ready(Ok::<_, Infallible>(Response::new(())))
    }));
    let mut least = u64::MAX;
    // The first requests fill caches and thread-locals.
    for _ in 0..8 {
        let request = request(credential);
        let info = measure(|| {
            let response = pin!(service.call(request));
            let polled = response.poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Ok(response)) = polled else { panic!("it waits") };
            assert_eq!(response.status(), 200);
        });
        least = least.min(info.count_total);
    }
    least - extension()
}

/// The allocations for the first extension of a request.
fn extension() -> u64 {
    let (mut request, value) = (Request::new(()), Arc::new(()));
    measure(move || {
        request.extensions_mut().insert(value);
    })
    .count_total
}

/// The upper bounds for each kind of credential.
struct Costs {
    cookie: u64,
    signed_token: u64,
    jwt: u64,
    secret_jwt: u64,
    api_key: u64,
}

fn check(
    what: &str,
    layer: impl Fn(BetterAuthLayerBuilder, MemoryStore) -> BetterAuthLayer,
    most: &Costs,
) {
    let issuer = TestDeployment::new();
    let user = issuer.user("ada@example.com").role("admin").create();
    let (session, key) = (user.sign_in(), user.api_key().create());
    let store = MemoryStore::new();
    store.insert_user(user.to_user());
    store.insert_session(session.to_session());
    store.insert_api_key(key.to_api_key());
    let keys: KeySet = issuer.jwks_json().parse().unwrap();
    let builder = issuer.layer_builder().key_source(keys).api_keys(ApiKeys::new());
    let auth = layer(builder, store);
    for (kind, credential, most) in [
        ("cookie", session.cookie(), most.cookie),
        ("signed token", session.signed_token(), most.signed_token),
        ("JWT", session.jwt().mint(), most.jwt),
        ("secret-signed JWT", session.secret_jwt().mint(), most.secret_jwt),
        ("API key", key.credential(), most.api_key),
    ] {
        let counted = allocations(&auth, &credential);
        println!("{what}, {kind}: {counted} (at most {most})");
        assert!(counted <= most, "{what}, {kind}: {counted}, at most {most}");
    }
}

#[test]
fn cached_request_allocates_little() {
    check(
        "cached",
        |builder, store| builder.store(CachedStore::new(store)).build().unwrap(),
        &Costs { cookie: 2, signed_token: 2, jwt: 1, secret_jwt: 1, api_key: 2 },
    );
}

#[test]
fn memory_request_allocates_little() {
    check(
        "in memory",
        |builder, store| builder.store(store).build().unwrap(),
        &Costs { cookie: 2, signed_token: 2, jwt: 1, secret_jwt: 1, api_key: 2 },
    );
}

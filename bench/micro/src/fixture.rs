//! An in-process deployment.

use std::time::Duration;

use better_auth_layer::cache::CachedStore;
use better_auth_layer::clock::{Clock, Timestamp};
use better_auth_layer::jwks::KeySet;
use better_auth_layer::store::MemoryStore;
use better_auth_layer::testing::{Credential, TestDeployment, TestSession};
use better_auth_layer::{BetterAuthLayer, BetterAuthLayerBuilder, UserStore};
use http::Request;
use http::request::Parts;
use tokio::runtime::{Builder, Runtime};

/// A deployment with one signed-in user.
#[derive(Debug)]
pub struct Fixture {
    issuer: TestDeployment,
    /// The session.
    pub session: TestSession,
    /// The runtime of the benchmarks.
    pub runtime: Runtime,
}

impl Fixture {
    /// Creates a deployment.
    #[expect(
        clippy::new_without_default,
        reason = "each deployment has random ids and keys"
    )]
    pub fn new() -> Self {
        let issuer = TestDeployment::new();
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

    /// A store that responds immediately.
    pub fn store(&self) -> MemoryStore {
        let store = MemoryStore::new();
        store.insert_user(self.session.user().to_user());
        store.insert_session(self.session.to_session());
        store
    }

    /// The store behind a cache whose entries outlive the benchmark.
    pub fn cached_store(&self) -> CachedStore<MemoryStore> {
        let builder = CachedStore::builder(self.store()).ttl(Duration::from_secs(300));
        builder.build().expect("a cache")
    }

    /// The time of the layer's clock.
    pub fn now(&self) -> Timestamp {
        self.issuer.clock().now()
    }

    /// A layer with static keys.
    pub fn layer(&self, store: impl UserStore) -> BetterAuthLayer {
        self.layer_builder(store).build().expect("a layer")
    }

    /// A layer with static keys and without a JWT cache.
    pub fn uncached_layer(&self, store: impl UserStore) -> BetterAuthLayer {
        let builder = self.layer_builder(store).jwt_cache_capacity(0);
        builder.build().expect("a layer")
    }

    fn layer_builder(&self, store: impl UserStore) -> BetterAuthLayerBuilder {
        let keys: KeySet = self.issuer.jwks_json().parse().expect("keys");
        self.issuer.layer_builder().key_source(keys).store(store)
    }
}

/// The head of a request that carries a credential.
pub fn parts(credential: &Credential) -> Parts {
    let request = credential
        .apply(Request::post("/support/chatkit"))
        .body(())
        .expect("a request");
    request.into_parts().0
}

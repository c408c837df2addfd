//! A deployment in this process.

use std::time::Duration;

use better_auth_layer::testing::{Credential, TestDeployment, TestSession};
use better_auth_layer::{
    BetterAuthLayer, BetterAuthLayerBuilder, CachedStore, Clock, KeySet, MemoryStore, Timestamp,
    UserStore,
};
use http::Request;
use http::request::Parts;
use tokio::runtime::{Builder, Runtime};

/// A deployment with one user who has signed in.
#[derive(Debug)]
pub struct World {
    issuer: TestDeployment,
    /// The session.
    pub session: TestSession,
    /// Where it runs.
    pub runtime: Runtime,
}

impl World {
    /// Makes one.
    #[expect(
        clippy::new_without_default,
        reason = "each one is different, which a default value would hide"
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

    /// The user and the session, found without waiting.
    pub fn store(&self) -> MemoryStore {
        let store = MemoryStore::new();
        store.insert_user(self.session.user().to_user());
        store.insert_session(self.session.to_session());
        store
    }

    /// The same behind a cache, which keeps them for longer than any benchmark runs.
    pub fn cached_store(&self) -> CachedStore<MemoryStore> {
        let builder = CachedStore::builder(self.store()).ttl(Duration::from_secs(300));
        builder.build().expect("a cache")
    }

    /// The time that the layer goes by.
    pub fn now(&self) -> Timestamp {
        self.issuer.clock().now()
    }

    /// A layer with a store; its keys never change.
    pub fn layer(&self, store: impl UserStore) -> BetterAuthLayer {
        self.layer_builder(store).build().expect("a layer")
    }

    /// The same, which remembers no JWT.
    pub fn forgetful_layer(&self, store: impl UserStore) -> BetterAuthLayer {
        let builder = self.layer_builder(store).jwt_cache_capacity(0);
        builder.build().expect("a layer")
    }

    fn layer_builder(&self, store: impl UserStore) -> BetterAuthLayerBuilder {
        let keys: KeySet = self.issuer.jwks_json().parse().expect("keys");
        self.issuer.layer_builder().key_source(keys).store(store)
    }
}

/// The head of a request with a credential.
pub fn parts(credential: &Credential) -> Parts {
    let request = credential
        .apply(Request::post("/support/chatkit"))
        .body(())
        .expect("a request");
    request.into_parts().0
}

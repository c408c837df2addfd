//! A Better Auth deployment in the test process.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;

use super::panic::{fail, must};
use super::state::Deployment;
use super::{Credential, KeysFault, StoreFault, TestClock, TestDeploymentBuilder, UserBuilder};
use crate::api_key::ApiKeys;
use crate::builder::BetterAuthLayerBuilder;
use crate::identity::Identity;
use crate::jwks::{KeySet, KeySource};
use crate::layer::BetterAuthLayer;
use crate::secret::Secret;
use crate::store::{LookupKind, UserStore};

/// A Better Auth deployment in the test process: a secret, keys, a clock and users. Clones are the
/// same deployment.
///
/// See the [module](super) for a complete test.
///
/// Another deployment has another secret and other keys, so its credentials are forgeries for this
/// one.
///
/// ```
/// use better_auth_layer::testing::TestDeployment;
/// use http::Request;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), http::Error> {
/// let issuer = TestDeployment::new();
/// let forger = TestDeployment::new();
/// let session = forger.user("ada@example.com").create().sign_in();
///
/// let (parts, ()) = session.cookie().apply(Request::get("/me")).body(())?.into_parts();
/// assert!(issuer.layer().authenticator().authenticate(&parts).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestDeployment {
    deployment: Arc<Deployment>,
}

impl TestDeployment {
    /// A deployment at `https://app.example.com` with Better Auth's defaults, at
    /// [`TestClock::START`].
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A builder for another URL, algorithm or cookie cache.
    pub fn builder() -> TestDeploymentBuilder {
        TestDeploymentBuilder::new()
    }

    pub(super) fn of(deployment: Deployment) -> Self {
        Self {
            deployment: Arc::new(deployment),
        }
    }

    /// Signs a user up: `issuer.user("ada@example.com").role("admin").create()`.
    pub fn user(&self, email: &str) -> UserBuilder {
        UserBuilder::new(Arc::clone(&self.deployment), email)
    }

    /// A layer that accepts all credentials of this deployment, including opt-in ones: API keys,
    /// raw session tokens, the cookie cache.
    #[must_use]
    pub fn layer(&self) -> BetterAuthLayer {
        let builder = self
            .layer_builder()
            .api_keys(ApiKeys::new())
            .accept_raw_session_tokens()
            .cookie_cache(self.deployment.cookie_cache.clone());
        must("the layer", builder.build())
    }

    /// A layer builder with the secret, base URL, issuer, cookie prefix, [store](Self::store),
    /// [keys](Self::key_source) and clock of this deployment, and defaults otherwise. Use it to
    /// test the settings of a service.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::testing::TestDeployment;
    ///
    /// let issuer = TestDeployment::new();
    /// let layer = issuer.layer_builder().require_verified_email().lookup_timeout(Duration::from_secs(2)).build()?;
    /// # let _ = layer;
    /// # Ok::<(), better_auth_layer::ConfigError>(())
    /// ```
    pub fn layer_builder(&self) -> BetterAuthLayerBuilder {
        self.known()
            .store(self.store())
            .key_source(self.key_source())
    }

    /// A layer builder without a store and keys.
    fn known(&self) -> BetterAuthLayerBuilder {
        let deployment = &self.deployment;
        BetterAuthLayer::builder()
            .secret(self.secret())
            .base_url(&deployment.base_url)
            .issuer(&deployment.origin)
            .cookie_prefix(&deployment.cookie_prefix)
            .clock(deployment.clock.clone())
    }

    /// The identity of a credential, for unit tests of handlers.
    ///
    /// The [layer](Self::layer) creates it, without the faults and the counts of the store and the
    /// keys.
    ///
    /// ```
    /// use better_auth_layer::testing::TestDeployment;
    ///
    /// let issuer = TestDeployment::new();
    /// let session = issuer.user("ada@example.com").create().sign_in();
    ///
    /// let identity = issuer.identity(&session.jwt().claim("tenant", "acme").mint());
    /// assert_eq!(identity.user().email(), "ada@example.com");
    /// assert!(identity.claims_json().is_some_and(|claims| claims.contains("acme")));
    /// ```
    ///
    /// # Panics
    ///
    /// If the layer rejects the credential.
    #[must_use]
    #[track_caller]
    pub fn identity(&self, credential: &Credential) -> Identity {
        let keys = KeySet::from_json(self.jwks_json().as_bytes());
        let builder = self
            .known()
            .store(Arc::clone(self.deployment.store.memory()))
            .key_source(must("the key set", keys))
            .api_keys(ApiKeys::new())
            .accept_raw_session_tokens()
            .cookie_cache(self.deployment.cookie_cache.clone());
        let layer = must("the layer", builder.build());
        let request = credential.apply(Request::builder()).body(());
        let (parts, ()) = must("a request", request).into_parts();
        // Static keys and a memory store are always ready.
        let mut context = Context::from_waker(Waker::noop());
        match pin!(layer.authenticator().authenticate(&parts)).poll(&mut context) {
            Poll::Ready(Ok(identity)) => identity,
            Poll::Ready(Err(rejection)) => fail(&format!(
                "the layer rejects the credential: {}",
                rejection.kind().as_str()
            )),
            Poll::Pending => fail("the layer waits for something"),
        }
    }

    /// The store of the layer, for a custom layer or a decorator.
    #[must_use]
    pub fn store(&self) -> impl UserStore + Clone + use<> {
        Arc::clone(&self.deployment.store)
    }

    /// The key source of the layer for JWTs of the JWT plugin.
    #[must_use]
    pub fn key_source(&self) -> impl KeySource + Clone + use<> {
        Arc::clone(&self.deployment.keys)
    }

    /// The response of `/api/auth/jwks`, for tests with a custom key endpoint. [Faults](KeysFault)
    /// do not affect it.
    #[must_use]
    pub fn jwks_json(&self) -> String {
        self.deployment.keys.to_json()
    }

    /// The base URL, `baseURL`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.deployment.base_url
    }

    /// The deployment's secret.
    #[must_use]
    pub fn secret(&self) -> Secret {
        must("the secret", Secret::new(self.deployment.secret.as_str()))
    }

    /// The clock of the deployment and its layers.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.deployment.clock.clone()
    }

    /// Advances the clock, which affects tokens, sessions, API keys and the age of cached keys. See
    /// [`TestClock::advance`].
    pub fn advance(&self, by: Duration) {
        self.deployment.clock.advance(by);
    }

    /// Signs JWTs with a new key. The old key remains published and its tokens remain valid, as in
    /// the grace period of a rotation.
    ///
    /// A layer fetches an unknown key after its [cooldown](crate::jwks::JwksOptions::cooldown),
    /// thirty seconds after the last fetch. Until then it rejects JWTs of the new key.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::testing::TestDeployment;
    ///
    /// let issuer = TestDeployment::new();
    /// issuer.rotate_keys();
    /// issuer.retire_old_keys();
    /// issuer.advance(Duration::from_secs(30));
    /// ```
    pub fn rotate_keys(&self) {
        self.deployment.keys.rotate();
    }

    /// Publishes only the key that signs. A layer uses cached keys until its next fetch, by default
    /// five minutes after the last one.
    pub fn retire_old_keys(&self) {
        self.deployment.keys.retire_old();
    }

    /// Breaks the store until [`restore_store`](Self::restore_store) is called.
    pub fn break_store(&self, fault: StoreFault) {
        self.deployment.store.set_fault(Some(fault));
    }

    /// Removes the fault of the store.
    pub fn restore_store(&self) {
        self.deployment.store.set_fault(None);
    }

    /// Breaks the key set until [`restore_keys`](Self::restore_keys) is called.
    pub fn break_keys(&self, fault: KeysFault) {
        self.deployment.keys.set_fault(Some(fault));
    }

    /// Removes the fault of the key set. A layer repeats a failed fetch after one second of the
    /// [clock](Self::clock).
    pub fn restore_keys(&self) {
        self.deployment.keys.set_fault(None);
    }

    /// The number of lookups of a kind, including failed ones.
    ///
    /// ```
    /// use better_auth_layer::store::LookupKind;
    /// use better_auth_layer::testing::TestDeployment;
    ///
    /// assert_eq!(TestDeployment::new().lookups(LookupKind::SessionToken), 0);
    /// ```
    #[must_use]
    pub fn lookups(&self, kind: LookupKind) -> usize {
        self.deployment.store.lookups(kind)
    }

    /// The number of all lookups. Readiness checks are not counted.
    #[must_use]
    pub fn total_lookups(&self) -> usize {
        self.deployment.store.total_lookups()
    }

    /// The number of key fetches, including failed ones.
    #[must_use]
    pub fn key_fetches(&self) -> usize {
        self.deployment.keys.fetches()
    }
}

impl Default for TestDeployment {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TestDeployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDeployment")
            .field("base_url", &self.deployment.base_url)
            .finish_non_exhaustive()
    }
}

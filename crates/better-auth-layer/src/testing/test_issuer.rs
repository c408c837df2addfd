//! A Better Auth deployment in the test's own process.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;

use super::deployment::Deployment;
use super::must::{fail, must};
use super::{Credential, KeysFault, StoreFault, TestClock, TestDeploymentBuilder, UserBuilder};
use crate::api_key::ApiKeys;
use crate::builder::BetterAuthLayerBuilder;
use crate::identity::Identity;
use crate::jwks::{KeySet, KeySource};
use crate::layer::BetterAuthLayer;
use crate::secret::Secret;
use crate::store::{LookupKind, UserStore};

/// A Better Auth deployment in the test's own process: a secret, keys, a clock, and the users who sign in. Clones are the
/// same deployment.
///
/// See the [module](super) for a whole test.
///
/// Another issuer is another deployment: whatever it mints is forged for this one, since it has a secret and keys of its
/// own.
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
    /// A deployment at `https://app.example.com` with Better Auth's defaults, at [`TestClock::START`].
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Configures a deployment: another address, algorithm, kind of cookie cache.
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

    /// A layer for this deployment that accepts everything it can mint, also what the layer accepts only on request: API
    /// keys, raw session tokens, the cookie cache.
    #[must_use]
    pub fn layer(&self) -> BetterAuthLayer {
        let builder = self
            .layer_builder()
            .api_keys(ApiKeys::new())
            .accept_raw_session_tokens()
            .cookie_cache(self.deployment.cookie_cache.clone());
        must("the layer", builder.build())
    }

    /// A layer's builder that knows this deployment and has nothing else switched on, for tests with the settings of the
    /// service itself: the secret, the base URL, the issuer of JWTs that are signed with the secret, the cookies' prefix,
    /// the [store](Self::store), the [keys](Self::key_source) and the clock are set.
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

    /// What is known about the deployment.
    fn known(&self) -> BetterAuthLayerBuilder {
        let deployment = &self.deployment;
        BetterAuthLayer::builder()
            .secret(self.secret())
            .base_url(&deployment.base_url)
            .issuer(&deployment.origin)
            .cookie_prefix(&deployment.cookie_prefix)
            .clock(deployment.clock.clone())
    }

    /// What the layer makes of a credential: the identity to hand to a handler that is tested by itself.
    ///
    /// It comes from the [layer](Self::layer), but not through the store and the keys that a test can break and count.
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
    /// When the layer refuses the credential.
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
        // Keys that never change and a store in memory: nothing waits.
        let mut context = Context::from_waker(Waker::noop());
        match pin!(layer.authenticator().authenticate(&parts)).poll(&mut context) {
            Poll::Ready(Ok(identity)) => identity,
            Poll::Ready(Err(rejection)) => fail(&format!(
                "the layer refuses the credential: {}",
                rejection.kind().as_str()
            )),
            Poll::Pending => fail("the layer waits for something"),
        }
    }

    /// The store that the layer asks, for a layer that is put together otherwise, or for a decorator around it.
    #[must_use]
    pub fn store(&self) -> impl UserStore + Clone + use<> {
        Arc::clone(&self.deployment.store)
    }

    /// Where the layer fetches the keys of the JWT plugin.
    #[must_use]
    pub fn key_source(&self) -> impl KeySource + Clone + use<> {
        Arc::clone(&self.deployment.keys)
    }

    /// The document that Better Auth serves at `/api/auth/jwks`, for tests that serve it themselves. A [fault](KeysFault)
    /// does not show in it.
    #[must_use]
    pub fn jwks_json(&self) -> String {
        self.deployment.keys.to_json()
    }

    /// The deployment's address, `baseURL`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.deployment.base_url
    }

    /// The deployment's secret.
    #[must_use]
    pub fn secret(&self) -> Secret {
        must("the secret", Secret::new(self.deployment.secret.as_str()))
    }

    /// The clock by which everything here is dated and judged.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.deployment.clock.clone()
    }

    /// Lets time pass: for tokens, sessions and API keys, and for the age of fetched keys. See [`TestClock::advance`].
    pub fn advance(&self, by: Duration) {
        self.deployment.clock.advance(by);
    }

    /// Signs JWTs with a new key from now on. The old one is still published and what it has signed still good, as in the
    /// grace period after a rotation.
    ///
    /// A layer fetches a key that it does not know once its [cooldown](crate::jwks::JwksOptions::cooldown) is over, thirty
    /// seconds after the last fetch: until then it refuses JWTs of the new key.
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

    /// Publishes the key that signs and no older one. A layer that has those goes on with them until it fetches again,
    /// five minutes after the last time by default.
    pub fn retire_old_keys(&self) {
        self.deployment.keys.retire_old();
    }

    /// Breaks the store, until [`restore_store`](Self::restore_store).
    pub fn break_store(&self, fault: StoreFault) {
        self.deployment.store.set_fault(Some(fault));
    }

    /// Lets the store answer again.
    pub fn restore_store(&self) {
        self.deployment.store.set_fault(None);
    }

    /// Breaks the issuer's key set, until [`mend_keys`](Self::mend_keys).
    pub fn break_keys(&self, fault: KeysFault) {
        self.deployment.keys.set_fault(Some(fault));
    }

    /// Lets the issuer hand out its keys again. A layer asks again a second after a fetch that failed, by the
    /// [clock](Self::clock).
    pub fn mend_keys(&self) {
        self.deployment.keys.set_fault(None);
    }

    /// How often the store was asked this way, with or without an answer.
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

    /// How often the store was asked in any way. Readiness checks are not counted.
    #[must_use]
    pub fn total_lookups(&self) -> usize {
        self.deployment.store.total_lookups()
    }

    /// How often keys were fetched, with or without success.
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

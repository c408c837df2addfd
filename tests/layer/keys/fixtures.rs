//! An issuer with keys, a layer that trusts it, and one user.

use support::prelude::*;
/// The longest time that a test waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A store with one user and one session.
pub(crate) fn store() -> MemoryStore {
    let store = MemoryStore::new();
    store.insert_user(User::new("usr_ada", "ada@example.com"));
    store.insert_session(Session::new("ses_ada", "usr_ada", Timestamp::MAX));
    store
}

/// A layer that trusts the issuer, without a key source.
pub(crate) fn builder(clock: &TestClock) -> BetterAuthLayerBuilder {
    BetterAuthLayer::builder().base_url(ISSUER).clock(clock.clone()).store(store())
}

/// An issuer with a key endpoint, and a service behind a layer that fetches the keys.
pub(crate) struct Issuer {
    pub(crate) clock: TestClock,
    pub(crate) server: KeyServer,
    pub(crate) signer: Signer,
    pub(crate) app: App,
}

impl Issuer {
    /// An issuer whose endpoint sends this reply.
    pub(crate) async fn new(reply: impl FnOnce(&Signer) -> Reply) -> Self {
        Self::with(reply, JwksOptions::new().fetch_timeout(PATIENCE)).await
    }

    pub(crate) async fn with(reply: impl FnOnce(&Signer) -> Reply, options: JwksOptions) -> Self {
        let signer = Signer::ed25519("first");
        let server = KeyServer::start(reply(&signer)).await;
        let clock = clock();
        let source = RemoteKeySource::new(&server.url()).unwrap();
        let builder = builder(&clock).key_source(source).jwks_options(options);
        Self { clock, app: App::of(builder), server, signer }
    }

    /// An issuer whose keys have been fetched.
    pub(crate) async fn warm() -> Self {
        let issuer = Self::new(good).await;
        issuer.works("to begin with").await;
        assert_eq!(issuer.server.hits(), 1);
        issuer
    }

    pub(crate) async fn send(&self, token: &str) -> TestResponse {
        let response = tokio::time::timeout(PATIENCE, self.app.send(token)).await;
        response.expect("a response")
    }

    /// Asserts that a valid token is accepted.
    pub(crate) async fn works(&self, what: &str) {
        self.accepts(&self.signer.token_for("usr_ada"), what).await;
    }

    pub(crate) async fn accepts(&self, token: &str, what: &str) {
        let response = self.send(token).await;
        response.assert_identity(what, "usr_ada", "ses_ada");
    }

    pub(crate) async fn rejects(&self, token: &str, what: &str, kind: RejectionKind) {
        self.send(token).await.assert_rejected(what, kind);
    }

    /// Waits for this number of fetches.
    pub(crate) async fn wait_for_hits(&self, hits: usize) {
        let wait = async {
            while self.server.hits() < hits {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let outcome = tokio::time::timeout(PATIENCE, wait).await;
        assert!(outcome.is_ok(), "{} fetches", self.server.hits());
    }
}

/// The reply with the public key.
pub(crate) fn good(signer: &Signer) -> Reply {
    Reply::Body(jwks([signer]))
}

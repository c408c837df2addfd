//! Requests that wait for a key fetch, and are polled again only after the cooldown.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use better_auth_layer::jwks::{KeySet, KeySource, KeySourceError};
use better_auth_layer::testing::{Credential, TestDeployment};
use better_auth_layer::{CookieCache, CredentialKind, Identity, Rejection, RejectionKind};
use http::Request;
use tokio::sync::Notify;

/// Fetches key sets without the key of the test's credential, when told to.
struct OtherKeys(Arc<Notify>);

impl KeySource for OtherKeys {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        self.0.notified().await;
        TestDeployment::new().jwks_json().parse()
    }
}

/// Authenticates a request whose task is suspended for longer than the cooldown after the fetch.
async fn authenticate_late(
    deployment: &TestDeployment,
    credential: &Credential,
) -> Result<Identity, Rejection> {
    let fetch = Arc::new(Notify::new());
    let source = OtherKeys(Arc::clone(&fetch));
    let builder = deployment.layer_builder().key_source(source);
    let layer = builder.cookie_cache(CookieCache::jwks()).build();
    let request = credential.apply(Request::get("/")).body(()).unwrap();
    let (parts, ()) = request.into_parts();
    let auth = layer.unwrap().authenticator().clone();
    let mut future = Box::pin(auth.authenticate(&parts));
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    fetch.notify_one();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    deployment.advance(Duration::from_secs(31));
    match future.as_mut().poll(&mut context) {
        Poll::Ready(result) => result,
        Poll::Pending => future.await,
    }
}

#[tokio::test]
async fn late_jwt_is_unavailable() {
    let deployment = TestDeployment::new();
    let session = deployment.user("ada@example.com").create().sign_in();
    let result = authenticate_late(&deployment, &session.jwt().mint()).await;
    assert_eq!(result.unwrap_err().kind(), RejectionKind::Unavailable);
}

#[tokio::test]
async fn late_cookie_cache_is_not_used() {
    let cache = CookieCache::jwks();
    let deployment = TestDeployment::builder().cookie_cache(cache).build();
    let session = deployment.user("ada@example.com").create().sign_in();
    let result = authenticate_late(&deployment, &session.cookie_cache()).await;
    let identity = result.unwrap();
    assert_eq!(identity.credential(), CredentialKind::SessionCookie);
}

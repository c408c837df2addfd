//! The test kit against the real layer. The kit creates credentials without the code that reads
//! them, so these tests check the reader as well.

use support::prelude::*;
mod credentials;
mod faults;
mod format;
mod identities;
mod rejections;
mod state;

use http::Request;

/// The result of a request with a credential.
async fn send(layer: &BetterAuthLayer, credential: &Credential) -> Result<Identity, RejectionKind> {
    let request = credential.apply(Request::get("/me")).body(()).unwrap();
    let (parts, ()) = request.into_parts();
    let identity = layer.authenticator().authenticate(&parts).await;
    identity.map_err(|rejection| rejection.kind())
}

/// Asserts that the deployment's layer accepts a credential.
async fn accept(issuer: &TestDeployment, credential: &Credential) -> Identity {
    send(&issuer.layer(), credential).await.unwrap()
}

/// Asserts that the deployment's layer rejects a credential.
async fn refuse(issuer: &TestDeployment, what: &str, credential: &Credential, kind: RejectionKind) {
    let outcome = send(&issuer.layer(), credential).await;
    let outcome = outcome.map(|identity| identity.credential());
    assert_eq!(outcome, Err(kind), "{what}");
}

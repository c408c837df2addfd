//! The test kit against the real layer: what it mints is accepted as what it is, what it spoils is refused, and what it
//! changes is seen. The kit writes credentials without the code that reads them, so this also checks the reader.

use support::prelude::*;
mod credentials;
mod faults;
mod form;
mod identities;
mod refusals;
mod state;

use http::Request;

/// What a layer makes of a request with a credential.
async fn send(layer: &BetterAuthLayer, credential: &Credential) -> Result<Identity, RejectionKind> {
    let request = credential.apply(Request::get("/me")).body(()).unwrap();
    let (parts, ()) = request.into_parts();
    let identity = layer.authenticator().authenticate(&parts).await;
    identity.map_err(|rejection| rejection.kind())
}

/// The issuer's own layer lets it pass.
async fn accept(issuer: &TestDeployment, credential: &Credential) -> Identity {
    send(&issuer.layer(), credential).await.unwrap()
}

/// The issuer's own layer does not.
async fn refuse(issuer: &TestDeployment, what: &str, credential: &Credential, kind: RejectionKind) {
    let outcome = send(&issuer.layer(), credential).await;
    let outcome = outcome.map(|identity| identity.credential());
    assert_eq!(outcome, Err(kind), "{what}");
}

//! The optional layer: anonymous requests are accepted, invalid credentials are not.

use axum::Router;
use axum::routing::get;
use support::prelude::*;

use super::fixtures::{Answer, Credential, ask, layer};

fn greeting() -> Router {
    let greet = |identity: Option<Identity>| async move {
        identity.map_or("nobody".to_owned(), |identity| identity.user().id().to_owned())
    };
    Router::new().route("/", get(greet))
}

fn outcome(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body.as_str())
}

#[tokio::test]
async fn anonymous_and_invalid_differ() {
    let app = greeting().layer(layer().optional());
    assert_eq!(outcome(&ask(&app, Credential::None).await), (200, "nobody"));
    assert_eq!(outcome(&ask(&app, Credential::good()).await), (200, "usr_ada"));
    let key = ask(&app, Credential::ApiKey("app_of-ada")).await;
    assert_eq!(outcome(&key), (200, "usr_ada"));
    for bad in [
        Credential::bad(),
        Credential::Bearer(String::new()),
        Credential::ApiKey("app_expired"),
        Credential::ApiKey("no-such-key"),
    ] {
        let answer = ask(&app, bad.clone()).await;
        assert_eq!(answer.kind, Some(InvalidCredential), "{bad:?}");
        assert_eq!(answer.status, 401, "{bad:?}");
    }
}

#[tokio::test]
async fn other_schemes_are_ignored() {
    let app = greeting().layer(layer().optional());
    assert_eq!(outcome(&ask(&app, Credential::Basic).await), (200, "nobody"));
}

#[tokio::test]
async fn outage_is_not_anonymous() {
    let store = store_fn(|_| async { Err::<Resolution, _>(StoreError::timeout()) });
    let app = greeting().layer(builder(store).build().unwrap().optional());
    let answer = ask(&app, Credential::good()).await;
    assert_eq!((answer.status, answer.kind), (503, Some(Unavailable)));
    assert_eq!(outcome(&ask(&app, Credential::None).await), (200, "nobody"));
}

#[tokio::test]
async fn required_layer_has_an_identity() {
    let app = greeting().layer(layer());
    assert_eq!(ask(&app, Credential::None).await.status, 401);
    assert_eq!(outcome(&ask(&app, Credential::good()).await), (200, "usr_ada"));
}

#[tokio::test]
async fn required_extractor_rejects() {
    let needs = |identity: Identity| async move { identity.user().id().to_owned() };
    let app = Router::new().route("/", get(needs)).layer(layer().optional());
    let answer = ask(&app, Credential::None).await;
    assert_eq!((answer.status, answer.kind), (401, Some(MissingCredential)));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(outcome(&ask(&app, Credential::good()).await), (200, "usr_ada"));
}

/// The inner layer decides.
#[tokio::test]
async fn nested_layers_stay_strict() {
    let inner_required = greeting().layer(layer()).layer(layer().optional());
    assert_eq!(ask(&inner_required, Credential::None).await.status, 401);
    let outer_required = greeting().layer(layer().optional()).layer(layer());
    assert_eq!(ask(&outer_required, Credential::None).await.status, 401);
    for app in [inner_required, outer_required] {
        assert_eq!(outcome(&ask(&app, Credential::good()).await), (200, "usr_ada"));
    }
}

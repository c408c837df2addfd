//! Required, optional and missing layers.

use http::Request;
use support::prelude::*;
use tower::{Layer, ServiceBuilder};

use super::fixtures::{Answer, ask, bearer, cookie, jwt, layer, request, who};

async fn optional(headers: &[(&'static str, String)]) -> Answer {
    let service = layer().build().unwrap().optional().layer(who());
    ask(&service, request(headers)).await
}

#[tokio::test]
async fn optional_layer_allows_anonymous() {
    assert_eq!(optional(&[]).await.body, "nobody");
    let basic = ("authorization", "Basic dXNlcjpwYXNz".to_owned());
    assert_eq!(optional(&[basic]).await.body, "nobody");
    let other_cookie = ("cookie", "theme=dark".to_owned());
    assert_eq!(optional(&[other_cookie]).await.body, "nobody");
}

#[tokio::test]
async fn optional_layer_identifies_users() {
    assert_eq!(optional(&[bearer(&jwt())]).await.body, "usr_ada by secret_jwt");
    assert_eq!(optional(&[cookie()]).await.body, "usr_ada by session_cookie");
}

#[tokio::test]
async fn optional_layer_rejects_invalid() {
    let expired = sign(&claims_with("ada@example.com", serde_json::json!({ "exp": 1 })));
    let nobody = sign(&claims_with("nobody@example.com", serde_json::json!({})));
    let forged = ("cookie", "better-auth.session_token=x.y".to_owned());
    let page = ("origin", "https://evil.test".to_owned());
    for (headers, kind) in [
        (vec![bearer(&expired)], InvalidCredential),
        (vec![bearer("")], InvalidCredential),
        (vec![("authorization", String::new())], InvalidCredential),
        (vec![forged], InvalidCredential),
        (vec![bearer(&nobody)], UserNotFound),
        (vec![cookie(), page], CrossOrigin),
    ] {
        let answer = optional(&headers).await;
        assert_eq!(answer.kind, Some(kind), "{headers:?}");
        assert_eq!(answer.status, kind.status(), "{headers:?}");
    }
}

/// The inner layer decides, regardless of the outer layer's result.
#[tokio::test]
async fn inner_layer_decides() {
    let (required, optional) = (layer().build().unwrap(), layer().build().unwrap().optional());
    let service =
        ServiceBuilder::new().layer(optional.clone()).layer(required.clone()).service(who());
    assert_eq!(ask(&service, request(&[])).await.kind, Some(MissingCredential));
    let only_keys = layer()
        .credential_sources([better_auth_layer::CredentialSource::api_key()])
        .build()
        .unwrap()
        .optional();
    let service = ServiceBuilder::new().layer(required).layer(only_keys).service(who());
    assert_eq!(ask(&service, request(&[bearer(&jwt())])).await.body, "nobody");
    let service = optional.layer(optional.layer(who()));
    assert_eq!(ask(&service, request(&[cookie()])).await.body, "usr_ada by session_cookie");
}

#[test]
fn missing_layer_is_not_anonymous() {
    let request = Request::new(());
    let missing = |result: Result<(), better_auth_layer::Rejection>| {
        let rejection = result.unwrap_err();
        assert_eq!(rejection.kind(), MissingLayer);
        assert_eq!(rejection.status(), 500);
    };
    missing(Identity::from_extensions(request.extensions()).map(|_| ()));
    missing(Identity::from_extensions_opt(request.extensions()).map(|_| ()));
}

#[tokio::test]
async fn request_extensions_are_ignored() {
    let auth = layer().build().unwrap();
    let (parts, _) = request(&[cookie()]).into_parts();
    let identity = auth.authenticator().authenticate(&parts).await.unwrap();
    let mut planted = request(&[]);
    planted.extensions_mut().insert(identity);
    let service = auth.optional().layer(who());
    assert_eq!(ask(&service, planted).await.body, "nobody");
}

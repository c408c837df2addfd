//! The extractors of handlers.

use axum::Router;
use axum::routing::get;
use better_auth_layer::axum::IdentityRejection;
use support::prelude::*;

use super::fixtures::{Credential, ask, layer};

#[tokio::test]
async fn user_and_session_are_extracted() {
    let show = |user: User, session: Session, identity: Identity| async move {
        assert_eq!(user.id(), identity.user().id());
        assert_eq!(Some(session.id()), identity.session().map(Session::id));
        format!("{} {}", user.email(), session.id())
    };
    let app = Router::new().route("/", get(show)).layer(layer());
    let answer = ask(&app, Credential::good()).await;
    assert_eq!(answer.body, "ada@example.com ses_ada");
}

#[tokio::test]
async fn api_key_has_no_session() {
    let user = |user: User| async move { user.id().to_owned() };
    let session = |session: Session| async move { session.id().to_owned() };
    let key = Credential::ApiKey("app_of-ada");

    let app = Router::new().route("/", get(user)).layer(layer());
    let answer = ask(&app, key.clone()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "usr_ada"));

    let app = Router::new().route("/", get(session)).layer(layer());
    let answer = ask(&app, key).await;
    assert_eq!((answer.status, answer.kind), (403, Some(PermissionDenied)));
    assert_eq!(answer.body, r#"{"error": "Permission denied", "status": 403}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(ask(&app, Credential::good()).await.body, "ses_ada");
}

#[tokio::test]
async fn user_can_be_optional() {
    let who = |user: Option<User>| async move {
        user.map_or("nobody".to_owned(), |user| user.id().to_owned())
    };
    let app = Router::new().route("/", get(who)).layer(layer().optional());
    assert_eq!(ask(&app, Credential::good()).await.body, "usr_ada");
    assert_eq!(ask(&app, Credential::None).await.body, "nobody");
    let bare = Router::new().route("/", get(who));
    let answer = ask(&bare, Credential::None).await;
    assert_eq!((answer.status, answer.kind), (500, Some(MissingLayer)));
}

/// A membership belongs to the identity of the innermost layer.
#[tokio::test]
async fn foreign_membership_is_ignored() {
    let show = |member: Member| async move { member.organization_id().to_owned() };
    let put = |user_id: &'static str| {
        axum::middleware::map_request(move |mut request: axum::extract::Request| async move {
            request.extensions_mut().insert(Member::new(user_id, "org_1"));
            request
        })
    };
    for (user_id, status) in [("usr_ada", 200), ("usr_eve", 500)] {
        let app = Router::new().route("/", get(show)).layer(put(user_id)).layer(layer());
        assert_eq!(ask(&app, Credential::good()).await.status, status);
    }
}

/// A handler can use the reason for its own response.
#[tokio::test]
async fn handler_can_take_the_rejection() {
    let why = |identity: Result<Identity, IdentityRejection>| async move {
        match identity {
            Ok(identity) => identity.user().id().to_owned(),
            Err(rejection) => format!("{:?}: {rejection}", rejection.kind()),
        }
    };
    let app = Router::new().route("/", get(why)).layer(layer().optional());
    assert_eq!(ask(&app, Credential::good()).await.body, "usr_ada");
    let answer = ask(&app, Credential::None).await;
    assert!(answer.body.starts_with("MissingCredential: "), "{}", answer.body);
}

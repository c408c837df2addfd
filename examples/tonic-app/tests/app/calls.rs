//! Authentication and authorization of calls.

use better_auth_layer::testing::{Credential, StoreFault};
use tonic::{Code, Status};
use tonic_app::proto::{PostRequest, WatchRequest, WhoAmIRequest};

use crate::world::World;

/// Unary and streaming methods are rejected alike.
async fn assert_rejected(world: &World, token: &Credential, code: Code, message: &str) {
    let mut client = world.client(token);
    let unary = client.who_am_i(WhoAmIRequest {}).await.unwrap_err();
    let streaming = client.watch(WatchRequest {}).await.unwrap_err();
    for status in [unary, streaming] {
        assert_eq!((status.code(), status.message()), (code, message));
    }
}

const INVALID: (Code, &str) = (Code::Unauthenticated, "Invalid or expired JWT token");

#[tokio::test]
async fn every_token_kind_is_accepted() {
    let world = World::new().await;
    let session = world.issuer.user("ada@example.com").create().sign_in();
    for (token, kind) in [
        (session.jwt().mint(), "jwt"),
        (session.secret_jwt().mint(), "secret_jwt"),
        (session.signed_token(), "signed_session_token"),
    ] {
        let answer = world.client(&token).who_am_i(WhoAmIRequest {}).await;
        let caller = answer.unwrap().into_inner();
        assert_eq!(caller.user_id, session.user().id());
        assert_eq!(caller.email, "ada@example.com");
        assert_eq!(caller.credential, kind);
        assert!(world.client(&token).watch(WatchRequest {}).await.is_ok());
    }
}

#[tokio::test]
async fn invalid_tokens_are_rejected() {
    let world = World::new().await;
    let mut anonymous = world.anonymous();
    let rejections: [Status; 3] = [
        anonymous.who_am_i(WhoAmIRequest {}).await.unwrap_err(),
        anonymous.watch(WatchRequest {}).await.unwrap_err(),
        anonymous.post(PostRequest::default()).await.unwrap_err(),
    ];
    for status in rejections {
        assert_eq!((status.code(), status.message()), INVALID);
        let challenge = status.metadata().get("www-authenticate").unwrap();
        assert_eq!(challenge, "Bearer");
    }

    let session = world.issuer.user("ada@example.com").create().sign_in();
    for token in [
        session.jwt().expired().mint(),
        session.jwt().forged().mint(),
        session.secret_jwt().expired().mint(),
        session.secret_jwt().forged().mint(),
        session.signed_token().tampered(),
        session.raw_token(),
    ] {
        assert_rejected(&world, &token, INVALID.0, INVALID.1).await;
    }
}

#[tokio::test]
async fn token_of_a_gone_user_is_rejected() {
    let world = World::new().await;
    let token_of = |email: &str| {
        let user = world.issuer.user(email).create();
        let token = user.sign_in().jwt().mint();
        (user, token)
    };
    let (user, token) = token_of("signed-out@example.com");
    user.sign_out_everywhere();
    let no_session = "No active sessions found for user";
    assert_rejected(&world, &token, Code::NotFound, no_session).await;

    let (user, token) = token_of("deleted@example.com");
    user.delete();
    let no_user = "User not found with provided email";
    assert_rejected(&world, &token, Code::NotFound, no_user).await;

    let (user, token) = token_of("banned@example.com");
    user.ban_by_sql();
    assert_rejected(&world, &token, Code::PermissionDenied, "User is banned").await;
}

#[tokio::test]
async fn store_outage_is_unavailable() {
    let world = World::new().await;
    let session = world.issuer.user("ada@example.com").create().sign_in();
    let token = session.jwt().mint();
    world.issuer.break_store(StoreFault::Unavailable);
    let message = "Authentication temporarily unavailable";
    assert_rejected(&world, &token, Code::Unavailable, message).await;
    world.issuer.restore_store();
    let answer = world.client(&token).who_am_i(WhoAmIRequest {}).await;
    assert!(answer.is_ok());
}

#[tokio::test]
async fn post_requires_the_admin_role() {
    let world = World::new().await;
    let post = async |token: &Credential, text: &str| {
        let text = text.to_owned();
        let answer = world.client(token).post(PostRequest { text }).await;
        answer.map(|posted| posted.into_inner().readers)
    };
    let ada = world.issuer.user("ada@example.com").create().sign_in();
    let ada = ada.signed_token();
    let grace = world.issuer.user("grace@example.com").role("user,admin");
    let grace = grace.create().sign_in().signed_token();

    let status = post(&ada, "hello").await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(status.message(), "Permission denied");
    // The role is checked before the text.
    let status = post(&ada, "").await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);

    assert_eq!(post(&grace, "hello").await.unwrap(), 0);
    let _watching = world.client(&ada).watch(WatchRequest {}).await.unwrap();
    assert_eq!(post(&grace, "hello").await.unwrap(), 1);
    let status = post(&grace, "").await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

//! Custom credential sources and their order.

use http::{HeaderValue, Request};
use support::prelude::*;
use tower::Layer;

use super::fixtures::{
    Answer, Body, TOKEN, api_key, ask, bearer, cookie, jwt, layer, request, who,
};

async fn answer(
    sources: impl IntoIterator<Item = CredentialSource>,
    request: Request<Body>,
) -> Answer {
    let sources: Vec<_> = sources.into_iter().chain([CredentialSource::api_key()]).collect();
    let service = layer().credential_sources(sources).build().unwrap().layer(who());
    ask(&service, request).await
}

#[tokio::test]
async fn prepended_source_is_first() {
    let header = |name: &'static str, token: &str| (name, token.to_owned());
    let x_token = || CredentialSource::header("x-token");
    let x_other = || CredentialSource::header("x-other");
    let usual = layer().prepend_credential_source(x_token());
    let named = layer()
        .credential_sources([CredentialSource::session_cookie(), CredentialSource::api_key()])
        .prepend_credential_source(x_token())
        .prepend_credential_source(x_other());
    for builder in [usual, named] {
        let service = builder.build().unwrap().layer(who());
        let by_token = ask(&service, request(&[header("x-token", &jwt()), cookie()])).await;
        assert_eq!(by_token.body, "usr_ada by secret_jwt");
        // Its failure is final.
        let bad = ask(&service, request(&[header("x-token", "bad"), cookie()])).await;
        assert_eq!(bad.kind, Some(InvalidCredential));
        let first = request(&[header("x-token", &jwt()), header("x-other", "bad")]);
        assert_eq!(ask(&service, first).await.body, "usr_ada by secret_jwt");
        assert_eq!(ask(&service, request(&[cookie()])).await.body, "usr_ada by session_cookie");
        assert_eq!(ask(&service, request(&[api_key()])).await.body, "usr_ada by api_key");
    }
}

fn at(uri: &str) -> Request<Body> {
    let mut request = request(&[]);
    *request.uri_mut() = uri.parse().unwrap();
    request
}

fn encoded(text: &str) -> String {
    text.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
}

#[tokio::test]
async fn order_of_sources_is_kept() {
    let (bearer_first, cookie_first) = (
        [CredentialSource::bearer(), CredentialSource::session_cookie()],
        [CredentialSource::session_cookie(), CredentialSource::bearer()],
    );
    let both = || request(&[bearer(&jwt()), cookie()]);
    assert_eq!(answer(bearer_first, both()).await.body, "usr_ada by secret_jwt");
    assert_eq!(answer(cookie_first.clone(), both()).await.body, "usr_ada by session_cookie");
    // The first credential is final.
    let bad_cookie = ("cookie", "better-auth.session_token=x.y".to_owned());
    let refused = answer(cookie_first, request(&[bearer(&jwt()), bad_cookie])).await;
    assert_eq!(refused.kind, Some(InvalidCredential));
}

#[tokio::test]
async fn unlisted_sources_are_ignored() {
    let only_cookie = || [CredentialSource::session_cookie()];
    let kind = answer(only_cookie(), request(&[bearer(&jwt())])).await.kind;
    assert_eq!(kind, Some(MissingCredential));
    let kind = answer([CredentialSource::bearer()], request(&[cookie()])).await.kind;
    assert_eq!(kind, Some(MissingCredential));
    assert_eq!(answer([], request(&[api_key()])).await.body, "usr_ada by api_key");
}

#[tokio::test]
async fn custom_header_needs_no_scheme() {
    let source = || [CredentialSource::header("X-Access-Token")];
    let header = |value: &str| request(&[("x-access-token", value.to_owned())]);
    assert_eq!(answer(source(), header(&jwt())).await.body, "usr_ada by secret_jwt");
    let signed = signed_session_token(TOKEN);
    for value in [signed.clone(), encoded(&signed)] {
        assert_eq!(answer(source(), header(&value)).await.body, "usr_ada by signed_session_token");
    }
    for bad in ["", " ", "a b", "Bearer a.b.c", "a,b", "\"a.b.c\"", "x.y.z", &"a".repeat(9000)] {
        let kind = answer(source(), header(bad)).await.kind;
        assert_eq!(kind, Some(InvalidCredential), "{bad:?}");
    }
    let twice = request(&[("x-access-token", jwt()), ("x-access-token", jwt())]);
    assert_eq!(answer(source(), twice).await.kind, Some(InvalidCredential));
    let mut bytes = request(&[]);
    bytes.headers_mut().insert("x-access-token", HeaderValue::from_bytes(b"a\xffb").unwrap());
    assert_eq!(answer(source(), bytes).await.kind, Some(InvalidCredential));
    assert_eq!(answer(source(), request(&[])).await.kind, Some(MissingCredential));
    for name in ["", "a b", "authorization", "Cookie"] {
        let builder = layer().credential_sources([CredentialSource::header(name)]);
        assert_eq!(builder.build().unwrap_err().setting(), "credential_sources", "{name}");
    }
}

#[tokio::test]
async fn websocket_subprotocol_has_token() {
    let source = || [CredentialSource::websocket_subprotocol("bearer.")];
    let offers = |value: &str| request(&[("sec-websocket-protocol", value.to_owned())]);
    let jwt = jwt();
    for offered in [
        format!("bearer.{jwt}"),
        format!("chat, bearer.{jwt}"),
        format!("chat,\tbearer.{jwt} , v2"),
    ] {
        let answer = answer(source(), offers(&offered)).await;
        assert_eq!(answer.body, "usr_ada by secret_jwt", "{offered}");
    }
    let signed = encoded(&signed_session_token(TOKEN));
    let answered = answer(source(), offers(&format!("bearer.{signed}"))).await;
    assert_eq!(answered.body, "usr_ada by signed_session_token");
    let several = request(&[
        ("sec-websocket-protocol", "chat".to_owned()),
        ("sec-websocket-protocol", format!("bearer.{jwt}")),
    ]);
    assert_eq!(answer(source(), several).await.body, "usr_ada by secret_jwt");
    for bad in ["bearer.", "bearer.x.y.z", &format!("bearer.{jwt}, bearer.{jwt}")] {
        let kind = answer(source(), offers(bad)).await.kind;
        assert_eq!(kind, Some(InvalidCredential), "{bad}");
    }
    for none in ["chat", "Bearer.x", "xbearer.y", ""] {
        let kind = answer(source(), offers(none)).await.kind;
        assert_eq!(kind, Some(MissingCredential), "{none}");
    }
}

#[tokio::test]
async fn query_parameter_is_opt_in() {
    let jwt = jwt();
    let usual = layer().build().unwrap().layer(who());
    let asked = ask(&usual, at(&format!("/?access_token={jwt}"))).await;
    assert_eq!(asked.kind, Some(MissingCredential));

    let source = || [CredentialSource::dangerous_query_parameter("access_token")];
    let signed = encoded(&signed_session_token(TOKEN));
    for (uri, body) in [
        (format!("/?access_token={jwt}"), "usr_ada by secret_jwt"),
        (format!("/a?b=c&access_token={jwt}&d"), "usr_ada by secret_jwt"),
        (format!("/?access%5Ftoken={jwt}"), "usr_ada by secret_jwt"),
        (format!("/?access_token={signed}"), "usr_ada by signed_session_token"),
    ] {
        assert_eq!(answer(source(), at(&uri)).await.body, body, "{uri}");
    }
    for uri in [
        "/?access_token=".to_owned(),
        "/?access_token=x.y.z".to_owned(),
        format!("/?access_token={jwt}&access_token={jwt}"),
        format!("/?access_token={jwt}&access%5ftoken=x"),
        format!("/?access_token={jwt}%20"),
    ] {
        let kind = answer(source(), at(&uri)).await.kind;
        assert_eq!(kind, Some(InvalidCredential), "{uri}");
    }
    for uri in ["/", "/?access_token", "/?Access_Token=x", "/?x=access_token", "/access_token=x"] {
        let kind = answer(source(), at(uri)).await.kind;
        assert_eq!(kind, Some(MissingCredential), "{uri}");
    }
}

#[tokio::test]
async fn function_is_a_source() {
    let source = || {
        [CredentialSource::custom(|parts| Some(parts.uri.path().strip_prefix("/t/")?.to_owned()))]
    };
    let jwt = jwt();
    assert_eq!(answer(source(), at(&format!("/t/{jwt}"))).await.body, "usr_ada by secret_jwt");
    assert_eq!(answer(source(), at("/t/")).await.kind, Some(InvalidCredential));
    assert_eq!(answer(source(), at("/")).await.kind, Some(MissingCredential));
}

#[test]
fn invalid_sources_fail_at_build() {
    let builder = || {
        BetterAuthLayer::builder().secret(Secret::new(SECRET).unwrap()).store(MemoryStore::new())
    };
    let bearer = CredentialSource::bearer;
    for (builder, says) in [
        (builder().credential_sources([]), "is empty"),
        (builder().credential_sources([CredentialSource::websocket_subprotocol("")]), "empty name"),
        (
            builder().prepend_credential_source(CredentialSource::websocket_subprotocol("")),
            "empty name",
        ),
        (builder().prepend_credential_source(CredentialSource::api_key()), "no `api_keys`"),
        (
            builder().credential_sources([CredentialSource::dangerous_query_parameter("")]),
            "empty name",
        ),
        (builder().credential_sources([bearer(), CredentialSource::api_key()]), "api_key"),
        (builder().api_keys(ApiKeys::new()).credential_sources([bearer()]), "api_key"),
        (
            builder()
                .without_session_tokens()
                .credential_sources([CredentialSource::session_cookie()]),
            "session cookies are not accepted",
        ),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains("credential_sources") && error.contains(says), "{error}");
    }
    assert!(builder().credential_sources([bearer()]).build().is_ok());
    let alone = builder().credential_sources([]).prepend_credential_source(bearer());
    assert!(alone.build().is_ok());
}

#[test]
fn debug_shows_the_source() {
    for (source, shown) in [
        (CredentialSource::bearer(), "Bearer"),
        (CredentialSource::api_key(), "ApiKey"),
        (CredentialSource::session_cookie(), "SessionCookie"),
        (CredentialSource::header("x-token"), r#"Header("x-token")"#),
        (CredentialSource::websocket_subprotocol("bearer."), r#"WebSocketProtocol("bearer.")"#),
        (CredentialSource::dangerous_query_parameter("token"), r#"Query("token")"#),
        (CredentialSource::custom(|_| None), "Custom(..)"),
    ] {
        assert_eq!(format!("{source:?}"), shown);
    }
}

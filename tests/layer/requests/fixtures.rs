//! One user, one session, and a service behind the layer.

use std::convert::Infallible;
use support::prelude::*;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Service, ServiceExt, service_fn};

/// The token of Ada's session.
pub(crate) const TOKEN: &str = "XN6DtGUWabcdefghijklmnopqrstuvDc";

/// Ada's API key.
pub(crate) const API_KEY: &str = "app_of-ada";

pub(crate) fn ada() -> User {
    User::new("usr_ada", "ada@example.com").with_role("editor, admin")
}

/// A session that started a minute ago and lasts an hour.
pub(crate) fn session() -> Session {
    Session::new("ses_ada", "usr_ada", at(NOW + 3600))
        .with_token(SessionToken::new(TOKEN))
        .with_created_at(at(NOW - 60))
}

pub(crate) fn store(user: User, session: Session) -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    store.insert_user(user);
    store.insert_session(session);
    let key = ApiKey::new("key_ada", "usr_ada", ApiKeyHash::from_key(API_KEY));
    store.insert_api_key(key.with_permissions_json(r#"{"files":["read"]}"#));
    Arc::new(store)
}

/// A layer that accepts all of Ada's credentials.
pub(crate) fn layer() -> BetterAuthLayerBuilder {
    builder(store(ada(), session())).api_keys(ApiKeys::new())
}

/// A secret-signed JWT that names no session.
pub(crate) fn jwt() -> String {
    sign(&claims_with("ada@example.com", json!({})))
}

/// A secret-signed JWT that names Ada's session.
pub(crate) fn jwt_of_session() -> String {
    sign(&claims_with("ada@example.com", json!({ "sid": "ses_ada" })))
}

pub(crate) fn cookie() -> (&'static str, String) {
    let value = format!("better-auth.session_token={}", signed_session_token(TOKEN));
    ("cookie", value)
}

pub(crate) fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

pub(crate) fn api_key() -> (&'static str, String) {
    ("x-api-key", API_KEY.to_owned())
}

pub(crate) type Body = Full<Bytes>;

pub(crate) fn request(headers: &[(&'static str, String)]) -> Request<Body> {
    let mut request = Request::post("/support/chatkit");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Full::default()).unwrap()
}

/// A service that responds with the user id and the credential kind.
pub(crate) fn who()
-> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(|request: Request<Body>| async move {
        let who = match Identity::from_extensions_opt(request.extensions()) {
            Ok(Some(identity)) => {
                let by = identity.credential().as_str();
                format!("{} by {by}", identity.user().id())
            }
            Ok(None) => "nobody".to_owned(),
            Err(rejection) => rejection.kind().as_str().to_owned(),
        };
        Ok(Response::new(Full::from(who)))
    })
}

/// A response as a client gets it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) kind: Option<RejectionKind>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) async fn ask<S, B>(service: &S, request: Request<Body>) -> Answer
where
    S: Service<Request<Body>, Response = Response<ResponseBody<B>>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let response = service.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        kind: parts.extensions.get().copied(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

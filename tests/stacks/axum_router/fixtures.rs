//! Requests to a router and their responses.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::HeaderMap;
use http_body_util::BodyExt;
use support::prelude::*;
use tower::{Service, ServiceExt};

/// The users of the fixtures with their API keys.
pub(crate) fn settings() -> BetterAuthLayerBuilder {
    builder(fixtures::memory()).api_keys(ApiKeys::new())
}

pub(crate) fn layer() -> BetterAuthLayer {
    settings().build().unwrap()
}

/// The credential of a request.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    None,
    Bearer(String),
    ApiKey(&'static str),
    Basic,
}

impl Credential {
    pub(crate) fn good() -> Self {
        Self::Bearer(token_for("ada@example.com"))
    }

    pub(crate) fn bad() -> Self {
        Self::Bearer(format!("{}x", token_for("ada@example.com")))
    }

    pub(crate) fn on(&self, mut request: Request) -> Request {
        let (name, value) = match self {
            Self::None => return request,
            Self::Bearer(token) => ("authorization", format!("Bearer {token}")),
            Self::ApiKey(key) => ("x-api-key", (*key).to_owned()),
            Self::Basic => ("authorization", "Basic YWRhOnNlY3JldA==".to_owned()),
        };
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    }
}

pub(crate) fn get(uri: &str) -> Request {
    Request::get(uri).body(Body::empty()).unwrap()
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) kind: Option<RejectionKind>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Sends a request to a service.
pub(crate) async fn send<S, B>(service: S, request: Request) -> Answer
where
    S: Service<Request, Response = http::Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        kind: parts.extensions.get().copied(),
    }
}

/// Sends `GET /` to a router.
pub(crate) async fn ask(router: &Router, credential: Credential) -> Answer {
    send(router.clone(), credential.on(get("/"))).await
}

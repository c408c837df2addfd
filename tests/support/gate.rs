//! A service behind the layer, and what a client sees of it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use better_auth_layer::{
    BetterAuth, BetterAuthLayer, BetterAuthLayerBuilder, Identity, RejectionKind, ResponseBody,
    Secret, UserStore,
};
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};

use crate::captured_log::keep_events_alive;
use crate::test_clock::TestClock;
use crate::token::SECRET;

/// A layer's builder for the deployment under test, with its secret, the test clock and a store.
pub fn builder(store: impl UserStore) -> BetterAuthLayerBuilder {
    BetterAuthLayer::builder()
        .secret(Secret::new(SECRET).unwrap())
        .clock(TestClock::new())
        .store(store)
}

/// What the service behind the layer answers: who came.
#[derive(Clone, Debug, Default)]
pub struct Inner {
    calls: Arc<AtomicUsize>,
    last: Arc<Mutex<Option<Identity>>>,
}

impl Service<Request<Full<Bytes>>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let identity = request
            .extensions()
            .get::<Identity>()
            .expect("the layer puts an identity in");
        let basis = match (identity.session(), identity.api_key()) {
            (Some(session), None) => session.id(),
            (None, Some(key)) => key.id(),
            other => panic!("a session or an API key, not {other:?}"),
        };
        let who = format!("{} {basis}", identity.user().id());
        *self.last.lock().unwrap() = Some(identity.clone());
        let mut response = Response::new(Full::from(who));
        response.extensions_mut().insert(Reached);
        std::future::ready(Ok(response))
    }
}

/// Marks the responses of the service behind the layer.
#[derive(Clone, Debug)]
struct Reached;

/// A service behind the layer.
#[derive(Clone, Debug)]
pub struct Gate {
    service: BetterAuth<Inner>,
    inner: Inner,
}

impl Gate {
    /// With the settings of the deployment under test.
    pub fn new(store: impl UserStore) -> Self {
        Self::of(builder(store))
    }

    /// With settings of its own.
    pub fn of(builder: BetterAuthLayerBuilder) -> Self {
        keep_events_alive();
        let inner = Inner::default();
        let service = builder.build().unwrap().layer(inner.clone());
        Self { service, inner }
    }

    /// How often the service behind the layer was called.
    pub fn calls(&self) -> usize {
        self.inner.calls.load(Ordering::SeqCst)
    }

    /// The identity that the service behind the layer saw last.
    pub fn identity(&self) -> Identity {
        let last = self.inner.last.lock().unwrap().clone();
        last.expect("a request that went through")
    }

    /// Sends a request with a `Cookie` header.
    pub async fn send_cookie(&self, cookie: &str) -> Answer {
        let value = HeaderValue::from_bytes(cookie.as_bytes()).unwrap();
        self.send_headers([(COOKIE, value)].into_iter().collect())
            .await
    }

    /// Sends a request with a bearer token.
    pub async fn send(&self, token: &str) -> Answer {
        let value = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).unwrap();
        self.send_headers([(AUTHORIZATION, value)].into_iter().collect())
            .await
    }

    /// Sends a request with any headers.
    pub async fn send_headers(&self, headers: HeaderMap) -> Answer {
        let mut request = Request::post("/support/chatkit")
            .body(Full::default())
            .unwrap();
        *request.headers_mut() = headers;
        self.request(request).await
    }

    /// Sends any request.
    pub async fn request(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let reached = response.extensions().get::<Reached>().is_some();
        let answer = Answer::of(response).await;
        assert_eq!(
            reached,
            answer.status == StatusCode::OK && answer.kind.is_none(),
            "{answer:?}"
        );
        answer
    }
}

/// What the client sees.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
    /// The kind of refusal in the response's extensions, which the client does not see.
    pub kind: Option<RejectionKind>,
}

impl Answer {
    async fn of(response: Response<ResponseBody<Full<Bytes>>>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            kind: parts.extensions.get().copied(),
        }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that the request went through, as this user with this session.
    #[track_caller]
    pub fn assert_identity(&self, what: &str, user_id: &str, session_id: &str) {
        assert_eq!(self.status, StatusCode::OK, "{what}: {self:?}");
        assert_eq!(self.body, format!("{user_id} {session_id}"), "{what}");
    }

    /// Asserts a refusal to the byte, with every header that belongs to it and no other.
    #[track_caller]
    pub fn assert_refused(&self, what: &str, kind: RejectionKind) {
        let (status, body, challenge, retry_after) = match kind {
            RejectionKind::MissingCredential => (
                401,
                r#"{"error": "Invalid or expired JWT token", "status": 401}"#,
                Some("Bearer"),
                None,
            ),
            RejectionKind::InvalidCredential => (
                401,
                r#"{"error": "Invalid or expired JWT token", "status": 401}"#,
                Some(r#"Bearer error="invalid_token""#),
                None,
            ),
            RejectionKind::UserBanned => (
                403,
                r#"{"error": "User is banned", "status": 403}"#,
                None,
                None,
            ),
            RejectionKind::CrossOrigin => (
                403,
                r#"{"error": "Cross-origin request refused", "status": 403}"#,
                None,
                None,
            ),
            RejectionKind::UserNotFound => (
                404,
                r#"{"error": "User not found with provided email", "status": 404}"#,
                None,
                None,
            ),
            RejectionKind::NoActiveSession => (
                404,
                r#"{"error": "No active sessions found for user", "status": 404}"#,
                None,
                None,
            ),
            RejectionKind::Unavailable => (
                503,
                r#"{"error": "Authentication temporarily unavailable", "status": 503}"#,
                None,
                Some("1"),
            ),
            other => panic!("{what}: no expectation for {other:?}"),
        };
        assert_eq!(self.kind, Some(kind), "{what}: {self:?}");
        assert_eq!(self.status.as_u16(), status, "{what}");
        assert_eq!(self.body, body, "{what}");
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{what}"
        );
        assert_eq!(self.header("cache-control"), Some("no-store"), "{what}");
        assert_eq!(self.header("www-authenticate"), challenge, "{what}");
        assert_eq!(self.header("retry-after"), retry_after, "{what}");
        let expected = 2 + usize::from(challenge.is_some()) + usize::from(retry_after.is_some());
        assert_eq!(self.headers.len(), expected, "{what}: {:?}", self.headers);
    }
}

//! A service behind the layer, and the responses that a client gets.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::{Ready, ready};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};

use crate::captured_log::keep_events_alive;
use crate::prelude::*;

/// A builder of the layer with the tests' secret and clock.
pub fn builder(store: impl UserStore) -> BetterAuthLayerBuilder {
    BetterAuthLayer::builder().secret(Secret::new(SECRET).unwrap()).clock(clock()).store(store)
}

/// A service that responds with the user id and the id of the session or API key.
#[derive(Clone, Debug, Default)]
pub struct Inner {
    calls: Arc<AtomicUsize>,
    last: Arc<Mutex<Option<Identity>>>,
}

impl Service<Request<Full<Bytes>>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let identity = request.extensions().get::<Identity>();
        let identity = identity.expect("the layer inserts an identity").clone();
        let id = match (identity.session(), identity.api_key()) {
            (Some(session), None) => session.id(),
            (None, Some(key)) => key.id(),
            other => panic!("expected a session or an API key: {other:?}"),
        };
        let body = format!("{} {id}", identity.user().id());
        *self.last.lock().unwrap() = Some(identity);
        let mut response = Response::new(Full::from(body));
        response.extensions_mut().insert(Reached);
        ready(Ok(response))
    }
}

/// Marks the responses of [`Inner`].
#[derive(Clone, Debug)]
struct Reached;

/// Headers that a test sends: a bearer token, a [`Cookie`] or a whole map.
pub trait IntoHeaders {
    /// The headers.
    fn into_headers(self) -> HeaderMap;
}

impl IntoHeaders for HeaderMap {
    fn into_headers(self) -> Self {
        self
    }
}

impl IntoHeaders for &str {
    fn into_headers(self) -> HeaderMap {
        let value = HeaderValue::from_bytes(format!("Bearer {self}").as_bytes());
        HeaderMap::from_iter([(AUTHORIZATION, value.unwrap())])
    }
}

impl IntoHeaders for &String {
    fn into_headers(self) -> HeaderMap {
        self.as_str().into_headers()
    }
}

impl<const N: usize> IntoHeaders for [(HeaderName, HeaderValue); N] {
    fn into_headers(self) -> HeaderMap {
        self.into_iter().collect()
    }
}

impl IntoHeaders for (&'static str, &str) {
    fn into_headers(self) -> HeaderMap {
        let value = HeaderValue::from_bytes(self.1.as_bytes()).unwrap();
        HeaderMap::from_iter([(HeaderName::from_static(self.0), value)])
    }
}

/// The value of a `Cookie` header.
#[derive(Clone, Copy, Debug)]
pub struct Cookie<'a>(pub &'a str);

impl IntoHeaders for Cookie<'_> {
    fn into_headers(self) -> HeaderMap {
        let value = HeaderValue::from_bytes(self.0.as_bytes());
        HeaderMap::from_iter([(COOKIE, value.unwrap())])
    }
}

/// A service behind the layer.
#[derive(Clone, Debug)]
pub struct App {
    service: BetterAuth<Inner>,
    inner: Inner,
}

impl App {
    /// A service behind the layer of [`builder`].
    pub fn new(store: impl UserStore) -> Self {
        Self::of(builder(store))
    }

    /// A service behind another layer.
    pub fn of(builder: BetterAuthLayerBuilder) -> Self {
        keep_events_alive();
        let inner = Inner::default();
        let service = builder.build().unwrap().layer(inner.clone());
        Self { service, inner }
    }

    /// The number of calls of the service behind the layer.
    pub fn calls(&self) -> usize {
        self.inner.calls.load(Ordering::SeqCst)
    }

    /// The identity of the last request that reached the service.
    pub fn identity(&self) -> Identity {
        let last = self.inner.last.lock().unwrap().clone();
        last.expect("a request that reached the service")
    }

    /// Sends a credential, and asserts that it identifies this user and this session or API key.
    #[track_caller]
    pub fn accepts(
        &self,
        credential: impl IntoHeaders,
        what: &str,
        user_id: &str,
        id: &str,
    ) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let response = self.send(credential).await;
            response.assert_identity(&format!("{what} at {caller}"), user_id, id);
        }
    }

    /// Sends a credential, and asserts that it is rejected.
    #[track_caller]
    pub fn rejects(
        &self,
        credential: impl IntoHeaders,
        what: &str,
        kind: RejectionKind,
    ) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let response = self.send(credential).await;
            response.assert_rejected(&format!("{what} at {caller}"), kind);
        }
    }

    /// Sends a credential.
    pub async fn send(&self, credential: impl IntoHeaders) -> TestResponse {
        let request = Request::post("/support/chatkit").body(Full::default());
        let mut request = request.unwrap();
        *request.headers_mut() = credential.into_headers();
        self.request(request).await
    }

    /// Sends a request.
    pub async fn request(&self, request: Request<Full<Bytes>>) -> TestResponse {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let is_reached = response.extensions().get::<Reached>().is_some();
        let response = TestResponse::of(response).await;
        let is_accepted = response.status == StatusCode::OK && response.kind.is_none();
        assert_eq!(is_reached, is_accepted, "{response:?}");
        response
    }
}

/// A response as a client gets it.
#[derive(Debug)]
pub struct TestResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
    /// The rejection in the extensions, which a client does not see.
    pub kind: Option<RejectionKind>,
}

impl TestResponse {
    /// Collects the body of a response.
    pub async fn of<B>(response: Response<B>) -> Self
    where
        B: http_body::Body<Error: Debug>,
    {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            kind: parts.extensions.get().copied(),
        }
    }

    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that the service responded for this user and this session or API key.
    #[track_caller]
    pub fn assert_identity(&self, what: &str, user_id: &str, id: &str) {
        assert_eq!(self.status, StatusCode::OK, "{what}: {self:?}");
        assert_eq!(self.body, format!("{user_id} {id}"), "{what}");
    }

    /// Asserts every byte of a rejection, with all of its headers and no other header.
    #[track_caller]
    pub fn assert_rejected(&self, what: &str, kind: RejectionKind) {
        let (status, error, challenge, retry_after) = match kind {
            MissingCredential => (401, "Invalid or expired JWT token", Some("Bearer"), None),
            InvalidCredential => {
                let challenge = Some(r#"Bearer error="invalid_token""#);
                (401, "Invalid or expired JWT token", challenge, None)
            }
            UserBanned => (403, "User is banned", None, None),
            CrossOrigin => (403, "Cross-origin request refused", None, None),
            UserNotFound => (404, "User not found with provided email", None, None),
            NoActiveSession => (404, "No active sessions found for user", None, None),
            Unavailable => (503, "Authentication temporarily unavailable", None, Some("1")),
            other => panic!("{what}: no expectation for {other:?}"),
        };
        assert_eq!(self.kind, Some(kind), "{what}: {self:?}");
        assert_eq!(self.status.as_u16(), status, "{what}");
        let body = format!(r#"{{"error": "{error}", "status": {status}}}"#);
        assert_eq!(self.body, body, "{what}");
        let content_type = self.header("content-type");
        assert_eq!(content_type, Some("application/json"), "{what}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{what}");
        assert_eq!(self.header("www-authenticate"), challenge, "{what}");
        assert_eq!(self.header("retry-after"), retry_after, "{what}");
        let expected = 2 + usize::from(challenge.is_some()) + usize::from(retry_after.is_some());
        assert_eq!(self.headers.len(), expected, "{what}: {:?}", self.headers);
    }
}

//! All spellings of a path, and all positions of the layer.

use std::convert::Infallible;
use support::prelude::*;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{HeaderValue, Method, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};
use tower_http::normalize_path::NormalizePathLayer;

use super::fixtures::{Answer, Credential, layer, send};

const REACHED: &str = "x-reached";

/// Panics without an identity, and marks its response.
async fn guarded(request: Request) -> impl IntoResponse {
    let identity = request.extensions().get::<Identity>();
    let user_id = identity
        .unwrap_or_else(|| panic!("{} {} reached a handler", request.method(), request.uri()))
        .user()
        .id();
    [(REACHED, HeaderValue::from_str(user_id).unwrap())]
}

type Stack = BoxCloneSyncService<Request, Response, Infallible>;

fn boxed<S, R>(service: S) -> Stack
where
    S: Service<Request, Response = R, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    R: IntoResponse + 'static,
{
    BoxCloneSyncService::new(service.map_response(R::into_response))
}

/// The positions of the layer around the routes `/me` and `/api/me`.
fn stacks() -> Vec<(&'static str, Stack)> {
    let routes =
        || Router::new().route("/me", any(guarded)).route("/api/me", get(guarded).post(guarded));
    let me = || Router::new().route("/me", any(guarded));
    let auth = layer;
    let trim = NormalizePathLayer::trim_trailing_slash;
    let nested_in = |inner: Router| me().layer(auth()).nest("/api", inner);
    vec![
        ("layer", boxed(routes().layer(auth()))),
        ("route_layer", boxed(routes().route_layer(auth()))),
        (
            "layer on each route",
            boxed(
                Router::new()
                    .route("/me", any(guarded).layer(auth()))
                    .route("/api/me", get(guarded).route_layer(auth())),
            ),
        ),
        ("nested, inner layer", boxed(nested_in(me().layer(auth())))),
        ("nested, inner route_layer", boxed(nested_in(me().route_layer(auth())))),
        ("nested, outer layer", boxed(me().nest("/api", me()).layer(auth()))),
        ("nested, outer route_layer", boxed(me().nest("/api", me()).route_layer(auth()))),
        ("nested service", boxed(nested_in(Router::new()).nest_service("/v2", auth().layer(me())))),
        ("merged", boxed(Router::new().merge(routes().layer(auth())))),
        (
            "merged with open routes",
            boxed(
                Router::new()
                    .route("/health", get(|| async { "ok" }))
                    .merge(routes().layer(auth())),
            ),
        ),
        (
            "wildcard",
            boxed(
                Router::new()
                    .route("/{*rest}", any(guarded))
                    .route("/", any(guarded))
                    .layer(auth()),
            ),
        ),
        ("fallback", boxed(routes().fallback(guarded).layer(auth()))),
        ("nested fallback", boxed(nested_in(me().fallback(guarded).layer(auth())))),
        (
            "method fallback",
            boxed(
                Router::new()
                    .route("/me", get(guarded))
                    .method_not_allowed_fallback(guarded)
                    .layer(auth()),
            ),
        ),
        ("fallback service", boxed(Router::new().fallback_service(auth().layer(me())))),
        ("normalized outside", boxed(trim().layer(routes().layer(auth())))),
        (
            "normalized outside, append",
            boxed(
                NormalizePathLayer::append_trailing_slash()
                    .layer(Router::new().route("/me/", any(guarded)).layer(auth())),
            ),
        ),
        ("normalized inside", boxed(routes().layer(auth()).layer(trim()))),
        ("around the whole router", boxed(auth().layer(routes()))),
        (
            "around the normalized router",
            boxed(auth().layer(trim().layer(routes().fallback(guarded)))),
        ),
    ]
}

const TARGETS: [&str; 32] = [
    "/me",
    "/me/",
    "/me//",
    "//me",
    "//me/",
    "///me",
    "/./me",
    "/../me",
    "/x/../me",
    "/me/.",
    "/me/..",
    "/%6de",
    "/%6D%65",
    "/%2e/me",
    "/me%2f",
    "/me%2F",
    "/me%00",
    "/me%20",
    "/me%0d%0a",
    "/ME",
    "/Me",
    "/me;x=1",
    "/me?..",
    "/me?",
    "/me??token=1",
    "/api/me",
    "/api//me",
    "/api/me/",
    "/api",
    "http://localhost/me",
    "http://localhost//me",
    "http://localhost",
];

fn methods() -> Vec<Method> {
    [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW",
        "get", "PROPFIND",
    ]
    .map(|method| method.parse().unwrap())
    .to_vec()
}

fn request(method: &Method, target: &str) -> Request {
    Request::builder().method(method).uri(target).body(Body::empty()).unwrap()
}

fn reached(answer: &Answer) -> bool {
    answer.headers.contains_key(REACHED)
}

#[tokio::test]
async fn odd_paths_reach_no_handler() {
    let strangers = [Credential::None, Credential::bad(), Credential::Basic];
    for (name, stack) in stacks() {
        let mut reached_by_ada = Vec::new();
        for method in methods() {
            for target in TARGETS.into_iter().chain(["*", "/"]) {
                let what = format!("{name}: {method} {target}");
                for stranger in &strangers {
                    let request = stranger.on(request(&method, target));
                    // A handler without an identity panics here.
                    let answer = send(stack.clone(), request).await;
                    assert!(!reached(&answer), "{what} {stranger:?}");
                    assert!(
                        matches!(answer.status, 401 | 404 | 405),
                        "{what} {stranger:?}: {answer:?}"
                    );
                }
                let answer = send(stack.clone(), Credential::good().on(request(&method, target)));
                if reached(&answer.await) {
                    reached_by_ada.push(what);
                }
            }
        }
        // Otherwise the test would prove nothing.
        let plain = format!("{name}: GET /me");
        assert!(reached_by_ada.contains(&plain), "{name}: {reached_by_ada:?}");
    }
}

/// A layer around the router rejects requests for unknown paths as well.
#[tokio::test]
async fn routes_are_not_revealed() {
    for (name, stack) in stacks() {
        let everything = ["layer", "nested, outer layer", "fallback", "around the whole router"];
        if !everything.contains(&name) {
            continue;
        }
        for method in methods() {
            for target in TARGETS.into_iter().chain(["/nowhere", "*", "/"]) {
                let answer = send(stack.clone(), request(&method, target)).await;
                assert_eq!(answer.status, 401, "{name}: {method} {target}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn paths_are_not_normalized() {
    let [stack, normalized] = ["layer", "normalized outside"].map(|wanted| {
        let mut all = stacks().into_iter();
        all.find(|(name, _)| *name == wanted).unwrap().1
    });
    let status = async |stack: &Stack, target: &str| {
        let request = Credential::good().on(request(&Method::GET, target));
        send(stack.clone(), request).await.status
    };
    for (target, plain, trimmed) in [
        ("/me", 200, 200),
        ("/me?..", 200, 200),
        ("http://localhost/me", 200, 200),
        ("/me/", 404, 200),
        ("/me//", 404, 200),
        ("//me", 404, 200),
        ("/ME", 404, 404),
        ("/./me", 404, 404),
        ("/%6de", 404, 404),
        ("/me%2f", 404, 404),
        ("/me;x=1", 404, 404),
    ] {
        assert_eq!(status(&stack, target).await, plain, "{target}");
        assert_eq!(status(&normalized, target).await, trimmed, "{target}");
    }
}

/// Raw bytes that no client library sends.
#[tokio::test]
async fn odd_request_lines_reach_nothing() {
    let routes = Router::new().route("/me", any(guarded)).fallback(guarded).layer(layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let token = match Credential::good() {
        Credential::Bearer(token) => token,
        other => panic!("{other:?}"),
    };
    let say = async |line: &str, credential: &str| {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let text =
            format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{credential}\r\n");
        socket.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let lines = TARGETS.map(|target| format!("GET {target}"));
    let others = [
        "GET *",
        "OPTIONS *",
        "CONNECT localhost:443",
        "CONNECT /me",
        "TRACE /me",
        "BREW /me",
        "get /me",
        "GET me",
        "GET localhost/me",
        "GET \\me",
        "GET /\\me",
        "GET /m\u{e9}",
        "GET /me#x",
        "GET https://localhost/me",
        "GET http://user@localhost/me",
    ];
    for line in lines.iter().map(String::as_str).chain(others) {
        let answer = say(line, "").await;
        // 400: hyper rejects the request.
        assert!(
            answer.starts_with("HTTP/1.1 401 ") || answer.starts_with("HTTP/1.1 400 "),
            "{line}: {answer:?}"
        );
        assert!(!answer.contains(REACHED), "{line}: {answer}");
    }
    let credential = format!("authorization: Bearer {token}\r\n");
    let answer = say("GET http://localhost/me", &credential).await;
    assert!(answer.contains("x-reached: usr_ada\r\n"), "{answer}");
}

/// axum's `layer` wraps existing routes. Later routes are not wrapped, which the extractor reports.
#[tokio::test]
async fn later_routes_need_the_extractor() {
    let show = |identity: Identity| async move { identity.user().id().to_owned() };
    let late =
        Router::new().route("/", get(show)).layer(layer()).route("/late", get(show)).fallback(show);
    let routes_alone = Router::new().route("/", get(show)).fallback(show).route_layer(layer());
    for (router, target, status) in [
        (&late, "/", 200),
        (&late, "/late", 500),
        (&late, "/nowhere", 500),
        (&routes_alone, "/", 200),
        (&routes_alone, "/nowhere", 500),
    ] {
        let uri: Uri = target.parse().unwrap();
        let request = Credential::good().on(request(&Method::GET, &uri.to_string()));
        let answer = send(router.clone(), request).await;
        assert_eq!(answer.status, status, "{target}: {answer:?}");
    }
}

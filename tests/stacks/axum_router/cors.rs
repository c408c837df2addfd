//! CORS outside the layer, which is right, and inside, which is wrong.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use http::HeaderValue;
use support::prelude::*;
use tower_http::cors::CorsLayer;

use super::fixtures::{Credential, layer, send};

const PAGE: &str = "https://app.example.com";

fn cors() -> CorsLayer {
    CorsLayer::new().allow_origin(HeaderValue::from_static(PAGE))
}

fn routes() -> Router {
    Router::new()
        .route("/", get(|identity: Identity| async move { identity.user().id().to_owned() }))
}

fn from_page(method: &str) -> Request {
    let mut request = Request::builder().method(method).uri("/").header("origin", PAGE);
    if method == "OPTIONS" {
        request = request.header("access-control-request-method", "GET");
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn outer_cors_answers_preflights() {
    let app = routes().layer(layer()).layer(cors());
    let allowed = "access-control-allow-origin";

    let preflight = send(app.clone(), from_page("OPTIONS")).await;
    assert_eq!((preflight.status, preflight.header(allowed)), (200, Some(PAGE)));
    assert_eq!(preflight.body, "");

    let refused = send(app.clone(), from_page("GET")).await;
    assert_eq!((refused.status, refused.header(allowed)), (401, Some(PAGE)));

    let answer = send(app, Credential::good().on(from_page("GET"))).await;
    assert_eq!((answer.status, answer.header(allowed)), (200, Some(PAGE)));
    assert_eq!(answer.body, "usr_ada");
}

#[tokio::test]
async fn inner_cors_sees_no_preflight() {
    let app = routes().layer(cors()).layer(layer());
    let preflight = send(app, from_page("OPTIONS")).await;
    assert_eq!(preflight.status, 401);
    assert_eq!(preflight.header("access-control-allow-origin"), None);
}

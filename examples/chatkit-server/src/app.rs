//! Routes and layers.

use std::convert::Infallible;
use std::error::Error;

use better_auth_layer::{Authenticator, BetterAuthLayer};
use chatkit_service::{BoxBody, ErrorResponse, json};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::cors::CorsLayer;

use crate::{chatkit::ChatKitEndpoint, metrics, server::App};

/// The server as one service.
///
/// CORS is the outer layer: preflight requests carry no token, and pages can read a rejection only
/// if it has CORS headers.
pub(crate) fn app(
    cors: CorsLayer,
    auth: BetterAuthLayer,
    chatkit: ChatKitEndpoint,
    metrics: PrometheusHandle,
) -> App {
    let authenticator = auth.authenticator().clone();
    let chatkit = ServiceBuilder::new()
        .layer(auth)
        .service_fn(move |request| {
            let chatkit = chatkit.clone();
            async move { Ok::<_, Infallible>(chatkit.handle(request).await) }
        });
    let routes = ServiceBuilder::new()
        .layer(cors)
        .service_fn(move |request: Request<Incoming>| {
            let (chatkit, metrics) = (chatkit.clone(), metrics.clone());
            let authenticator = authenticator.clone();
            async move {
                let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
                Ok::<_, Infallible>(match request.uri().path() {
                    // The endpoint checks the method, after authentication.
                    "/support/chatkit" => chatkit
                        .oneshot(request)
                        .await?
                        .map(|body| body.boxed_unsync()),
                    "/healthz" | "/readyz" | "/metrics" if !is_read => {
                        method_not_allowed("GET, HEAD")
                    }
                    "/healthz" => health(StatusCode::OK, "ok"),
                    "/readyz" => readiness(&authenticator).await,
                    "/metrics" => metrics::response(&metrics),
                    _ => ErrorResponse::new(StatusCode::NOT_FOUND, "Not found").into_response(),
                })
            }
        });
    routes.boxed_clone()
}

async fn readiness(authenticator: &Authenticator) -> Response<BoxBody> {
    match authenticator.ready().await {
        Ok(()) => health(StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!(error = &error as &dyn Error, "not ready");
            health(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    }
}

fn health(status: StatusCode, text: &str) -> Response<BoxBody> {
    let mut response = json(status, &serde_json::json!({ "status": text }));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) fn method_not_allowed(allow: &'static str) -> Response<BoxBody> {
    let error = ErrorResponse::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    let mut response = error.into_response();
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

//! The routes, and the layers around them.

use std::convert::Infallible;

use better_auth_layer::{Authenticator, BetterAuthLayer, ResponseBody};
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CACHE_CONTROL};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Serialize;
use tower::{Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::cors::CorsLayer;

use crate::body::{ServerBody, json};
use crate::metrics::Metrics;
use crate::protected::{Protected, method_not_allowed};
use crate::refusal::Refusal;

/// The whole server as one service.
///
/// CORS stands outside of authentication: a preflight carries no token, and without CORS headers
/// on a refusal a web page could not read it.
pub(crate) fn app(
    cors: CorsLayer,
    auth: BetterAuthLayer,
    protected: Protected,
    metrics: Metrics,
) -> impl Service<Request<Incoming>, Response = Response<ServerBody>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let authenticator = auth.authenticator().clone();
    let chatkit = ServiceBuilder::new()
        .layer(auth)
        .service(service_fn(move |request| {
            let protected = protected.clone();
            async move { Ok::<_, Infallible>(protected.handle(request).await) }
        }));
    ServiceBuilder::new()
        .layer(cors)
        .service(service_fn(move |request| {
            route(
                chatkit.clone(),
                authenticator.clone(),
                metrics.clone(),
                request,
            )
        }))
}

async fn route<S>(
    chatkit: S,
    authenticator: Authenticator,
    metrics: Metrics,
    request: Request<Incoming>,
) -> Result<Response<ServerBody>, Infallible>
where
    S: Service<
            Request<Incoming>,
            Response = Response<ResponseBody<ServerBody>>,
            Error = Infallible,
        >,
{
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    Ok(match request.uri().path() {
        // Whatever the method: without a token nobody learns which ones there are.
        "/support/chatkit" => {
            let response = chatkit.oneshot(request).await?;
            response.map(|body| body.boxed_unsync())
        }
        "/healthz" | "/readyz" | "/metrics" if !is_read => {
            method_not_allowed(&HeaderValue::from_static("GET, HEAD"))
        }
        "/healthz" => probe(StatusCode::OK, "ok"),
        "/readyz" => readiness(&authenticator).await,
        "/metrics" => metrics.response(),
        _ => Refusal::new(StatusCode::NOT_FOUND, "Not found").into_response(),
    })
}

/// Why the store cannot answer is for the log.
async fn readiness(authenticator: &Authenticator) -> Response<ServerBody> {
    match authenticator.ready().await {
        Ok(()) => probe(StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "not ready");
            probe(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    }
}

fn probe(status: StatusCode, text: &'static str) -> Response<ServerBody> {
    #[derive(Serialize)]
    struct Document {
        status: &'static str,
    }
    let mut response = json(status, &Document { status: text });
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

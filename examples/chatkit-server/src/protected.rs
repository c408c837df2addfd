//! What stands behind the layer: the ChatKit endpoint.

use std::sync::Arc;

use better_auth_layer::Identity;
use better_auth_layer::config::Env;
use better_auth_layer::stream::UntilSessionEnd;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::body::ServerBody;
use crate::chatkit::ChatKit;
use crate::outlet::Outlet;
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::start_error::StartError;

/// The ChatKit endpoint for the user that the layer has found.
#[derive(Clone)]
pub(crate) struct Protected {
    backend: Backend,
    console: Outlet,
}

#[derive(Clone)]
enum Backend {
    BuiltIn(ChatKit),
    Upstream(Arc<Proxy>),
}

impl Protected {
    /// The built-in ChatKit, or the one at `CHATKIT_UPSTREAM`.
    pub(crate) fn new(environment: &Env, console: Outlet) -> Result<Self, StartError> {
        let backend = match environment.get("CHATKIT_UPSTREAM")? {
            Some(upstream) => Backend::Upstream(Arc::new(Proxy::new(upstream)?)),
            None => Backend::BuiltIn(ChatKit::new()),
        };
        Ok(Self { backend, console })
    }

    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Response<ServerBody> {
        let identity = match Identity::from_extensions(request.extensions()) {
            Ok(identity) => identity.clone(),
            Err(rejection) => {
                tracing::error!(%rejection, "a request has come here without an identity");
                return Refusal::new(rejection.status(), rejection.kind().message())
                    .into_response();
            }
        };
        let user = identity.user();
        // The id comes from the database; a line break in it must not make a second line.
        let shown = user.id().replace(char::is_control, "?");
        self.console.line(&format!("user_id={shown}"));

        if request.method() != Method::POST {
            return method_not_allowed(&HeaderValue::from_static("POST"));
        }
        let response = match &self.backend {
            Backend::BuiltIn(chatkit) => chatkit.handle(user.id(), request).await,
            Backend::Upstream(proxy) => proxy.handle(user.id(), user.email(), request).await,
        };
        if is_event_stream(&response) {
            // Nobody goes on listening after signing out.
            return response.map(|body| UntilSessionEnd::new(body, &identity).boxed_unsync());
        }
        response
    }
}

fn is_event_stream(response: &Response<ServerBody>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

pub(crate) fn method_not_allowed(allow: &HeaderValue) -> Response<ServerBody> {
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    let mut response = refusal.into_response();
    response.headers_mut().insert(ALLOW, allow.clone());
    response
}

//! The protected endpoint: `POST /support/chatkit`.

use std::io::Write as _;

use better_auth_layer::{Identity, config::Env, stream::UntilSessionEnd};
use chatkit_service::{Backend, BoxBody, ErrorResponse};
use http::{Method, Request, Response, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tracing_appender::non_blocking::NonBlocking;

use crate::{Error, app::method_not_allowed};

#[derive(Clone)]
pub(crate) struct ChatKitEndpoint {
    backend: Backend,
    console: NonBlocking,
}

impl ChatKitEndpoint {
    /// Uses the ChatKit server at `CHATKIT_UPSTREAM`, or the built-in service.
    pub(crate) fn new(env: &Env, console: NonBlocking) -> Result<Self, Error> {
        let backend = Backend::new(env.get("CHATKIT_UPSTREAM")?)?;
        Ok(Self { backend, console })
    }

    pub(crate) async fn handle(mut self, request: Request<Incoming>) -> Response<BoxBody> {
        let identity = match Identity::from_extensions(request.extensions()) {
            Ok(identity) => identity.clone(),
            Err(error) => {
                return ErrorResponse::new(error.status(), error.kind().message()).into_response();
            }
        };
        let user = identity.user();
        // Control characters in an id must not start another line.
        let line = format!("user_id={}\n", user.id().replace(char::is_control, "?"));
        // The writer drops lines instead of failing.
        let _ = self.console.write_all(line.as_bytes());

        if request.method() != Method::POST {
            return method_not_allowed("POST");
        }
        let response = self.backend.handle(user.id(), user.email(), request).await;
        let content_type = response.headers().get(CONTENT_TYPE);
        if content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")) {
            return response.map(|body| UntilSessionEnd::new(body, &identity).boxed_unsync());
        }
        response
    }
}

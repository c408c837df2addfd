//! Rejections of extractors look like those of the layer.

use axum::Router;
use axum::routing::get;
use better_auth_layer::authorize::Policy;
use better_auth_layer::axum::Authorized;
use bytes::Bytes;
use http::{Response, StatusCode, request};
use support::prelude::*;

use super::fixtures::{Answer, Credential, get as request, send, settings};

#[derive(Debug, Default)]
struct DenyAll;

impl Policy for DenyAll {
    fn allows(&self, _: &Identity) -> bool {
        false
    }
}

/// The rejection of the layer and of each extractor.
async fn refusals(auth: BetterAuthLayer) -> Vec<(&'static str, Answer)> {
    let app = Router::new()
        .route("/identity", get(|_: Identity| async { "reached" }))
        .route("/session", get(|_: Session| async { "reached" }))
        .route("/denied", get(|_: Authorized<DenyAll>| async { "reached" }))
        .layer(auth.optional());
    let mut answers = Vec::new();
    for (path, credential) in [
        ("/identity", Credential::bad()),
        ("/identity", Credential::None),
        ("/session", Credential::None),
        ("/session", Credential::ApiKey("app_of-ada")),
        ("/denied", Credential::None),
        ("/denied", Credential::good()),
    ] {
        let answer = send(app.clone(), credential.on(request(path))).await;
        answers.push((path, answer));
    }
    answers
}

#[tokio::test]
async fn extractors_use_problem_details() {
    let auth = settings().rejection_renderer(ProblemJson::new()).build().unwrap();
    let expected = [401, 401, 401, 403, 401, 403];
    for ((path, answer), status) in refusals(auth).await.into_iter().zip(expected) {
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["status"], status, "{path}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(answer.kind.is_some(), "{path}");
    }
}

#[tokio::test]
async fn custom_renderer_sees_the_request() {
    let render = |rejection: &Rejection, request: &request::Parts, suggested: Response<Bytes>| {
        assert_eq!(suggested.status(), rejection.status());
        let text = format!("{} {}", request.uri.path(), rejection.kind().as_str());
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
    };
    let auth = settings().rejection_renderer(render).build().unwrap();
    let answers = refusals(auth).await;
    let bodies: Vec<_> = answers.iter().map(|(_, answer)| answer.body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            "/identity invalid_credential",
            "/identity missing_credential",
            "/session missing_credential",
            "/session permission_denied",
            "/denied missing_credential",
            "/denied permission_denied",
        ]
    );
    for (path, answer) in answers {
        assert_eq!(answer.status, 418, "{path}");
        assert!(answer.kind.is_some(), "{path}");
    }
}

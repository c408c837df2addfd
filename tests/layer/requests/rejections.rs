//! Custom rejection responses.

use std::convert::Infallible;
use std::sync::Mutex;
use support::prelude::*;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Version, header, request};
use http_body_util::Full;
use tower::{Layer, service_fn};

use super::fixtures::{Answer, Body, ask, bearer, jwt, layer, request as to, who};

async fn refused(builder: BetterAuthLayerBuilder, headers: &[(&'static str, String)]) -> Answer {
    let service = builder.build().unwrap().layer(who());
    ask(&service, to(headers)).await
}

fn down() -> BetterAuthLayerBuilder {
    builder(store_fn(|_| async { Err(StoreError::timeout()) }))
}

#[tokio::test]
async fn renderer_sees_kind_and_request() {
    type Seen = (RejectionKind, String, StatusCode, Bytes, bool);
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let sees = Arc::clone(&seen);
    let render =
        move |rejection: &Rejection, request: &request::Parts, suggested: Response<Bytes>| {
            sees.lock().unwrap().push((
                rejection.kind(),
                format!("{} {}", request.method, request.uri),
                suggested.status(),
                suggested.body().clone(),
                suggested.headers().contains_key(header::WWW_AUTHENTICATE),
            ));
            let mut response = Response::new(Bytes::from_static(b"<h1>no</h1>"));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response.headers_mut().insert("x-own", HeaderValue::from_static("1"));
            response
        };
    let answer = refused(layer().rejection_renderer(render), &[bearer("x.y.z")]).await;
    assert_eq!(answer.body, "<h1>no</h1>");
    assert_eq!(answer.header("x-own"), Some("1"));
    assert_eq!(answer.kind, Some(InvalidCredential));
    // The mandatory headers are added.
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let seen = seen.lock().unwrap();
    let body = Bytes::from_static(br#"{"error": "Invalid or expired JWT token", "status": 401}"#);
    assert_eq!(
        *seen,
        [(
            InvalidCredential,
            "POST /support/chatkit".to_owned(),
            StatusCode::UNAUTHORIZED,
            body,
            true
        )]
    );
}

#[tokio::test]
async fn renderer_headers_are_kept() {
    let render = |_: &Rejection, _: &request::Parts, mut suggested: Response<Bytes>| {
        let headers = suggested.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"x\""));
        suggested
    };
    let answer = refused(layer().rejection_renderer(render), &[]).await;
    assert_eq!(answer.header("cache-control"), Some("private"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"x\""));
    let to_sign_in = |_: &Rejection, _: &request::Parts, _: Response<Bytes>| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response
    };
    let answer = refused(layer().rejection_renderer(to_sign_in), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// A custom response does not hide an outage.
#[tokio::test]
async fn retry_after_survives_a_renderer() {
    let bare = |_: &Rejection, _: &request::Parts, _: Response<Bytes>| {
        let mut response = Response::new(Bytes::from_static(b"come back later"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    };
    let builder = down().retry_after(Duration::from_secs(7));
    let answer = refused(builder.rejection_renderer(bare), &[bearer(&jwt())]).await;
    assert_eq!(answer.header("retry-after"), Some("7"));
    let own = |_: &Rejection, _: &request::Parts, mut suggested: Response<Bytes>| {
        let headers = suggested.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("120"));
        suggested
    };
    let answer = refused(down().rejection_renderer(own), &[bearer(&jwt())]).await;
    assert_eq!(answer.header("retry-after"), Some("120"));
}

/// Rejections of the application look like those of the layer.
#[tokio::test]
async fn application_can_reject() {
    let inner = service_fn(|request: Request<Body>| async move {
        let (parts, _) = request.into_parts();
        let rejection = Rejection::from(PermissionDenied);
        Ok::<_, Infallible>(rejection.to_response(&parts).map(Full::new))
    });
    let json = layer().build().unwrap().layer(inner);
    let answer = ask(&json, to(&[bearer(&jwt())])).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.body, r#"{"error": "Permission denied", "status": 403}"#);
    assert_eq!(answer.kind, Some(PermissionDenied));

    let problems = layer().rejection_renderer(ProblemJson::new());
    let problems = problems.build().unwrap().optional().layer(inner);
    for headers in [vec![bearer(&jwt())], vec![]] {
        let answer = ask(&problems, to(&headers)).await;
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    let mut call = to(&[bearer(&jwt()), ("content-type", "application/grpc".to_owned())]);
    *call.version_mut() = Version::HTTP_2;
    let answer = ask(&json, call).await;
    assert_eq!(answer.header("grpc-status"), Some("7"));
    // Every outage has a `Retry-After` header.
    let outage = Rejection::from(Unavailable);
    assert!(outage.retry_after().is_some());
}

#[tokio::test]
async fn grpc_ignores_the_renderer() {
    let render = |_: &Rejection, _: &request::Parts, _: Response<Bytes>| {
        Response::new(Bytes::from_static(b"no"))
    };
    let service = layer().rejection_renderer(render).build().unwrap().layer(who());
    let mut call = to(&[("content-type", "application/grpc".to_owned())]);
    *call.version_mut() = Version::HTTP_2;
    let answer = ask(&service, call).await;
    assert_eq!(answer.header("grpc-status"), Some("16"));
    assert_eq!(answer.body, "");
}

#[tokio::test]
async fn problem_details_are_complete() {
    for (headers, expected) in [
        (
            vec![],
            json!({ "type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Invalid or expired JWT token" }),
        ),
        (
            vec![bearer(&support::token::token_for("nobody@example.com"))],
            json!({ "type": "about:blank", "title": "Not Found", "status": 404, "detail": "User not found with provided email" }),
        ),
    ] {
        let answer = refused(layer().rejection_renderer(ProblemJson::new()), &headers).await;
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), expected);
        assert_eq!(answer.status.as_u16(), expected["status"]);
    }
    let types = ProblemJson::new().with_types("https://example.com/problems/");
    let answer = refused(down().rejection_renderer(types), &[bearer(&jwt())]).await;
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["type"], "https://example.com/problems/unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn retry_after_is_configurable() {
    let after = async |builder: BetterAuthLayerBuilder| {
        let answer = refused(builder, &[bearer(&jwt())]).await;
        assert_eq!(answer.kind, Some(Unavailable));
        answer.header("retry-after").map(|value| value.parse::<u64>().unwrap())
    };
    let second = Duration::from_secs(1);
    assert_eq!(after(down()).await, Some(1));
    assert_eq!(after(down().retry_after(7 * second)).await, Some(7));
    assert_eq!(after(down().retry_after(Duration::ZERO)).await, Some(1));
    assert_eq!(after(down().retry_after(RetryAfter::omit())).await, None);
    let spread = after(down().retry_after(RetryAfter::between(3 * second..=5 * second))).await;
    assert!((3..=5).contains(&spread.unwrap()), "{spread:?}");
}

/// The authenticator without Tower rejects with the same response.
#[tokio::test]
async fn authenticator_rejects_alike() {
    let auth = layer().rejection_renderer(ProblemJson::new()).build().unwrap();
    let (parts, _) = to(&[bearer("x.y.z")]).into_parts();
    let rejection = auth.authenticator().authenticate(&parts).await.unwrap_err();
    let direct = auth.authenticator().rejection_response(&rejection, &parts);
    let layered = ask(&auth.layer(who()), to(&[bearer("x.y.z")])).await;
    assert_eq!(direct.body(), layered.body.as_bytes());
    assert_eq!(direct.headers(), &layered.headers);
    assert_eq!(direct.extensions().get(), layered.kind.as_ref());
}

//! Policies behind the layer.

use better_auth_layer::authorize::{
    ApiKeyPermission, AuthorizeLayer, FreshSession, NotImpersonated, Policy, Role, SessionOnly,
    VerifiedEmail,
};
use http::{Method, Request, Response, StatusCode, Version};
use support::prelude::*;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::fixtures::{
    Body, ada, api_key, ask, bearer, cookie, jwt, jwt_of_session, layer, request, session, store,
    who,
};

fn of(user: User, session: Session) -> BetterAuthLayer {
    builder(store(user, session)).api_keys(ApiKeys::new()).build().unwrap()
}

/// The outcome of a request: forwarded or rejected.
async fn verdict(
    auth: BetterAuthLayer,
    policy: impl Policy,
    header: (&'static str, String),
) -> Option<RejectionKind> {
    let service =
        ServiceBuilder::new().layer(auth).layer(AuthorizeLayer::new(policy)).service(who());
    let answer = ask(&service, request(&[header])).await;
    match answer.kind {
        None => assert!(answer.body.starts_with("usr_ada by "), "{answer:?}"),
        Some(kind) => assert_eq!(answer.status, kind.status()),
    }
    answer.kind
}

async fn passes(
    policy: impl Policy,
    user: User,
    session: Session,
    header: (&'static str, String),
) -> bool {
    match verdict(of(user, session), policy, header).await {
        None => true,
        Some(PermissionDenied) => false,
        Some(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn roles_match_exactly() {
    for (column, wanted, passed) in [
        (Some("admin"), &["admin"][..], true),
        (Some("editor, admin"), &["admin"], true),
        (Some("editor,admin"), &["owner", "editor"], true),
        (Some("Admin"), &["admin"], false),
        (Some("superadmin"), &["admin"], false),
        (Some("admin editor"), &["admin"], false),
        (Some(""), &[""], false),
        (Some("user"), &[], false),
        (None, &["user"], false),
    ] {
        let user = match column {
            Some(role) => User::new("usr_ada", "ada@example.com").with_role(role),
            None => User::new("usr_ada", "ada@example.com"),
        };
        let policy = Role::any(wanted.iter().copied());
        assert_eq!(
            passes(policy, user, session(), cookie()).await,
            passed,
            "{column:?} {wanted:?}"
        );
    }
    assert!(passes(Role::new("admin"), ada(), session(), api_key()).await);
}

#[tokio::test]
async fn verified_email_comes_from_store() {
    assert!(!passes(VerifiedEmail, ada(), session(), cookie()).await);
    assert!(passes(VerifiedEmail, ada().with_email_verified(true), session(), cookie()).await);
}

#[tokio::test]
async fn freshness_needs_a_bound_session() {
    let within = |seconds| FreshSession::within(Duration::from_secs(seconds));
    assert!(passes(within(61), ada(), session(), cookie()).await);
    assert!(!passes(within(60), ada(), session(), cookie()).await);
    assert!(passes(within(61), ada(), session(), bearer(&jwt_of_session())).await);
    assert!(!passes(within(61), ada(), session(), bearer(&jwt())).await);
    assert!(!passes(within(61), ada(), session(), api_key()).await);
    let ageless = Session::new("ses_ada", "usr_ada", at(NOW + 9))
        .with_token(session().token().unwrap().clone());
    assert!(!passes(within(61), ada(), ageless, cookie()).await);
    // An impersonated user has not signed in recently.
    let impersonated = session().with_impersonated_by("usr_admin");
    assert!(!passes(within(61), ada(), impersonated, cookie()).await);
}

#[tokio::test]
async fn impersonation_can_be_denied() {
    let impersonated = || session().with_impersonated_by("usr_admin");
    assert!(passes(NotImpersonated, ada(), session(), cookie()).await);
    assert!(passes(NotImpersonated, ada(), session(), bearer(&jwt_of_session())).await);
    assert!(!passes(NotImpersonated, ada(), impersonated(), cookie()).await);
    // It is unknown in which session the key was created.
    assert!(!passes(NotImpersonated, ada(), session(), api_key()).await);
    let or_key = NotImpersonated.or(|identity: &Identity| identity.api_key().is_some());
    assert!(passes(or_key, ada(), session(), api_key()).await);
    assert!(!passes(NotImpersonated, ada(), session(), bearer(&jwt())).await);
}

#[tokio::test]
async fn api_key_permissions_are_checked() {
    let may = |action| ApiKeyPermission::new("files", action);
    assert!(passes(may("read"), ada(), session(), api_key()).await);
    assert!(!passes(may("write"), ada(), session(), api_key()).await);
    assert!(passes(may("write"), ada(), session(), cookie()).await);
    assert!(passes(SessionOnly, ada(), session(), cookie()).await);
    assert!(!passes(SessionOnly, ada(), session(), api_key()).await);
}

#[tokio::test]
async fn policies_combine() {
    let (yes, no) = (|_: &Identity| true, |_: &Identity| false);
    assert!(passes(yes.and(yes), ada(), session(), cookie()).await);
    assert!(!passes(yes.and(no), ada(), session(), cookie()).await);
    assert!(!passes(no.and(yes), ada(), session(), cookie()).await);
    assert!(passes(no.or(yes), ada(), session(), cookie()).await);
    assert!(passes(yes.or(no), ada(), session(), cookie()).await);
    assert!(!passes(no.or(no), ada(), session(), cookie()).await);
    let nested = Role::new("owner").or(Role::new("admin").and(SessionOnly));
    assert!(passes(nested.clone(), ada(), session(), cookie()).await);
    assert!(!passes(nested, ada(), session(), api_key()).await);
}

#[tokio::test]
async fn denial_has_json_and_extension() {
    let service = |auth: BetterAuthLayer| {
        ServiceBuilder::new()
            .layer(auth)
            .layer(AuthorizeLayer::new(Role::new("owner")))
            .service(who())
    };
    let answer = ask(&service(layer().build().unwrap()), request(&[cookie()])).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.body, r#"{"error": "Permission denied", "status": 403}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.headers.len(), 2);

    let problems = layer().rejection_renderer(ProblemJson::new()).build().unwrap();
    let answer = ask(&service(problems), request(&[cookie()])).await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.kind, Some(PermissionDenied));
}

#[tokio::test]
async fn grpc_denial_is_a_status() {
    let service = ServiceBuilder::new()
        .layer(layer().build().unwrap())
        .layer(AuthorizeLayer::new(Role::new("owner")))
        .service(who());
    let mut call = request(&[cookie(), ("content-type", "application/grpc".to_owned())]);
    *call.version_mut() = Version::HTTP_2;
    let answer = ask(&service, call).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("grpc-status"), Some("7"));
    assert_eq!(answer.header("grpc-message"), Some("Permission denied"));
    assert_eq!(answer.body, "");
}

#[tokio::test]
async fn anonymous_is_unauthorized() {
    let service = ServiceBuilder::new()
        .layer(layer().rejection_renderer(ProblemJson::new()).build().unwrap().optional())
        .layer(AuthorizeLayer::new(|_: &Identity| true))
        .service(who());
    let answer = ask(&service, request(&[])).await;
    assert_eq!(answer.kind, Some(MissingCredential));
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn policy_without_layer_is_an_error() {
    let (log, _guard) = CapturedLog::start();
    let service = AuthorizeLayer::new(|_: &Identity| true).layer(who());
    let mut request = request(&[cookie()]);
    *request.method_mut() = Method::PUT;
    *request.uri_mut() = "/admin/keys?token=of-somebody".parse().unwrap();
    let answer = ask(&service, request).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.kind, Some(MissingLayer));
    assert_eq!(
        answer.body,
        r#"{"error": "Authentication is not set up for this route", "status": 500}"#
    );
    let log = log.text();
    assert!(
        log.contains("ERROR") && log.contains("PUT") && log.contains("\"/admin/keys\""),
        "{log}"
    );
    assert!(!log.contains("of-somebody"), "{log}");
}

/// A rejected request does not reach the service. Errors and readiness are unchanged.
#[tokio::test]
async fn inner_service_needs_permission() {
    let inner =
        service_fn(|_: Request<Body>| async { Err::<Response<Body>, &'static str>("reached") });
    let stack = |policy: fn(&Identity) -> bool| {
        ServiceBuilder::new()
            .layer(layer().build().unwrap())
            .layer(AuthorizeLayer::new(policy))
            .service(inner)
    };
    let reached = stack(|_| true).oneshot(request(&[cookie()])).await;
    assert_eq!(reached.map(|_| ()).unwrap_err(), "reached");
    let refused = stack(|_| false).oneshot(request(&[cookie()])).await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn denial_logs_policy_and_user() {
    let (log, _guard) = CapturedLog::start();
    let answer = verdict(layer().build().unwrap(), Role::new("owner"), cookie()).await;
    assert_eq!(answer, Some(PermissionDenied));
    let log = log.text();
    let line = log.lines().find(|line| line.contains("permission_denied")).unwrap();
    assert!(line.contains("Role") && line.contains("usr_ada"), "{line}");
}

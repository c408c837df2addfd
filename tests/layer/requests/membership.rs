//! Members of an organization behind the layer.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use support::prelude::*;

use better_auth_layer::organization::MembershipLayer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::fixtures::{
    Answer, Body, ada, api_key, ask, bearer, cookie, jwt, jwt_of_session, layer, request, session,
    store, who,
};

/// Ada is an administrator of the first organization and a member of the second.
fn members() -> impl MembershipStore {
    membership_fn(|user_id, organization_id| async move {
        assert_eq!(user_id, "usr_ada");
        Ok(match &*organization_id {
            "org_1" => Some(Member::new(user_id, organization_id).with_role("admin,billing")),
            "org_2" => Some(Member::new(user_id, organization_id).with_role("member")),
            _ => None,
        })
    })
}

fn working_in(organization: &str) -> BetterAuthLayer {
    let session: Session = session().with_active_organization_id(organization);
    let store = store(ada(), session);
    builder(store).api_keys(ApiKeys::new()).build().unwrap()
}

/// A service that responds with the membership.
fn told()
-> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone
{
    service_fn(|request: Request<Body>| async move {
        let member = request.extensions().get::<Member>();
        let told = member.map(|member| {
            format!("{} in {} as {:?}", member.user_id(), member.organization_id(), member.role())
        });
        Ok(Response::new(Full::from(told.unwrap_or_default())))
    })
}

async fn answer(
    auth: BetterAuthLayer,
    members: MembershipLayer,
    headers: &[(&'static str, String)],
) -> Answer {
    let service = ServiceBuilder::new().layer(auth).layer(members).service(told());
    ask(&service, request(headers)).await
}

#[tokio::test]
async fn member_is_forwarded() {
    for header in [cookie(), bearer(&jwt_of_session())] {
        let answer = answer(working_in("org_1"), MembershipLayer::new(members()), &[header]).await;
        assert_eq!(answer.body, r#"usr_ada in org_1 as Some("admin,billing")"#);
    }
}

#[tokio::test]
async fn others_are_denied() {
    let denied = Some(PermissionDenied);
    for (what, auth, header) in [
        ("no member", working_in("org_3"), cookie()),
        ("no active organization", layer().build().unwrap(), cookie()),
        ("an empty one", working_in(""), cookie()),
        ("a token that names no session", working_in("org_1"), bearer(&jwt())),
        ("an API key", working_in("org_1"), api_key()),
    ] {
        let answer = answer(auth, MembershipLayer::new(members()), &[header]).await;
        assert_eq!(answer.kind, denied, "{what}");
        assert_eq!(answer.body, r#"{"error": "Permission denied", "status": 403}"#, "{what}");
    }
}

#[tokio::test]
async fn required_role_is_checked() {
    for (organization, roles, passes) in [
        ("org_1", &["owner", "admin"][..], true),
        ("org_1", &["billing"], true),
        ("org_1", &["owner"], false),
        ("org_1", &[], false),
        ("org_2", &["owner", "admin"], false),
        ("org_2", &["member"], true),
    ] {
        let layer = MembershipLayer::new(members()).roles(roles.iter().copied());
        let answer = answer(working_in(organization), layer, &[cookie()]).await;
        let kind = (!passes).then_some(PermissionDenied);
        assert_eq!(answer.kind, kind, "{organization} {roles:?}");
    }
}

#[tokio::test]
async fn organization_comes_from_request() {
    let by_path = || {
        MembershipLayer::new(members()).organization(|request, _| {
            Some(request.uri.path().strip_prefix("/organizations/")?.to_owned())
        })
    };
    for (path, body) in [
        ("/organizations/org_1", Some(r#"usr_ada in org_1 as Some("admin,billing")"#)),
        ("/organizations/org_2", Some(r#"usr_ada in org_2 as Some("member")"#)),
        ("/organizations/org_3", None),
        ("/organizations/", None),
        ("/", None),
    ] {
        for header in [cookie(), bearer(&jwt()), api_key()] {
            let service = ServiceBuilder::new()
                .layer(layer().build().unwrap())
                .layer(by_path())
                .service(told());
            let mut request = request(&[header]);
            *request.uri_mut() = path.parse().unwrap();
            let answer = ask(&service, request).await;
            match body {
                Some(body) => assert_eq!(answer.body, body, "{path}"),
                None => assert_eq!(answer.kind, Some(PermissionDenied), "{path}"),
            }
        }
    }
}

#[tokio::test]
async fn anonymous_and_missing_layer_differ() {
    let auth = layer().build().unwrap().optional();
    let answer = answer(auth, MembershipLayer::new(members()), &[]).await;
    assert_eq!(answer.kind, Some(MissingCredential));
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);

    let (log, _guard) = CapturedLog::start();
    let service = MembershipLayer::new(members()).layer(who());
    let answer = ask(&service, request(&[cookie()])).await;
    assert_eq!(answer.kind, Some(MissingLayer));
    assert!(log.text().contains("\"/support/chatkit\""), "{}", log.text());
}

/// A store failure is never a denial and never an authorization.
#[tokio::test(start_paused = true)]
async fn store_failure_is_unavailable() {
    let another = membership_fn(|_, organization| async move {
        Ok(Some(Member::new("usr_other", organization).with_role("owner")))
    });
    let down = membership_fn(|_, _| async { Err(StoreError::timeout()) });
    let never = membership_fn(|_, _| std::future::pending::<Result<Option<Member>, StoreError>>());
    let panics = membership_fn(|_, _| async { panic!("in the store") });
    for (what, members) in [
        ("another's membership", MembershipLayer::new(another)),
        ("down", MembershipLayer::new(down)),
        ("never answers", MembershipLayer::new(never)),
        ("panics", MembershipLayer::new(panics)),
    ] {
        let session = session().with_active_organization_id("org_1");
        let auth = builder(store(ada(), session))
            .lookup_timeout(Duration::from_secs(3))
            .retry_after(Duration::from_secs(7))
            .rejection_renderer(ProblemJson::new())
            .build()
            .unwrap();
        let start = tokio::time::Instant::now();
        let answer = answer(auth, members, &[cookie()]).await;
        assert_eq!(answer.kind, Some(Unavailable), "{what}");
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{what}");
        assert_eq!(answer.header("retry-after"), Some("7"), "{what}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        assert!(start.elapsed() <= Duration::from_secs(3), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn lookup_timeout_applies() {
    let slow = membership_fn(|user_id, organization_id| async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(Some(Member::new(user_id, organization_id)))
    });
    let auth = builder(store(ada(), session().with_active_organization_id("org_1")))
        .lookup_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let answer = answer(auth, MembershipLayer::new(slow), &[cookie()]).await;
    assert_eq!(answer.body, "usr_ada in org_1 as None");
}

#[tokio::test]
async fn forged_membership_is_removed() {
    let service = ServiceBuilder::new()
        .layer(working_in("org_3"))
        .layer(MembershipLayer::new(members()))
        .service(told());
    let mut planted = request(&[cookie()]);
    planted.extensions_mut().insert(Member::new("usr_ada", "org_3").with_role("owner"));
    let answer = ask(&service, planted).await;
    assert_eq!(answer.kind, Some(PermissionDenied));
}

/// A membership of the client or of another layer is ignored.
#[tokio::test]
async fn identity_layer_removes_membership() {
    let inner = service_fn(|request: Request<Body>| async move {
        let planted = request.extensions().get::<Member>().is_some();
        Ok::<_, Infallible>(Response::new(Full::from(planted.to_string())))
    });
    let auths =
        [(layer().build().unwrap(), vec![cookie()]), (layer().build().unwrap().optional(), vec![])];
    for (auth, headers) in auths {
        let service = auth.layer(inner);
        let mut planted = request(&headers);
        planted.extensions_mut().insert(Member::new("usr_ada", "org_3"));
        assert_eq!(ask(&service, planted).await.body, "false");
    }
}

#[tokio::test]
async fn denial_is_logged() {
    let (log, _guard) = CapturedLog::start();
    answer(working_in("org_\n3"), MembershipLayer::new(members()), &[cookie()]).await;
    let log = log.text();
    let line = log.lines().find(|line| line.contains("permission_denied")).unwrap();
    assert!(line.contains("usr_ada") && line.contains(r"org_\n3"), "{line}");
}

/// Forgets in its clone that it is ready.
#[derive(Default)]
struct Touchy {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Touchy {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<Body>> for Touchy {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Self::Response, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err("an error of its own"))
    }
}

#[tokio::test]
async fn ready_instance_is_called() {
    let touchy = Touchy::default();
    let calls = Arc::clone(&touchy.calls);
    let stack = |auth| {
        ServiceBuilder::new()
            .layer(auth)
            .layer(MembershipLayer::new(members()))
            .service(touchy.clone())
    };
    let mut service = stack(working_in("org_1"));
    for _ in 0..2 {
        let ready = service.ready().await.unwrap();
        let error = ready.call(request(&[cookie()])).await.map(|_| ()).unwrap_err();
        assert_eq!(error, "an error of its own");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let refused = stack(working_in("org_3")).oneshot(request(&[cookie()])).await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

//! The endpoint `/metrics`.

use crate::http::Request;
use crate::program::Program;

#[test]
fn metrics_contain_no_identities() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let server = program.start();
    let address = server.address;
    assert_eq!(Request::hello().bearer(&token).send(address).status, 200);
    assert_eq!(Request::hello().send(address).status, 401);
    assert_eq!(Request::hello().bearer("x.y.z").send(address).status, 401);
    let metrics = Request::get("/metrics").send(address);
    assert_eq!(metrics.status, 200);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(metrics.header("content-type"), Some(kind));
    for line in [
        "# TYPE better_auth_requests_total counter",
        r#"better_auth_requests_total{outcome="authenticated",credential="secret_jwt"} 1"#,
        r#"better_auth_requests_total{outcome="missing_credential",credential="none"} 1"#,
        r#"better_auth_requests_total{outcome="invalid_credential",credential="bearer"} 1"#,
        r#"better_auth_lookups_total{kind="email",answered_by="store"} 1"#,
        r#"better_auth_lookup_duration_seconds_count{kind="email",outcome="found"} 1"#,
    ] {
        assert!(
            metrics.body.lines().any(|other| other == line),
            "{line}\n{}",
            metrics.body
        );
    }
    for secret in ["alice", "usr_", token.as_str()] {
        assert!(!metrics.body.contains(secret), "{secret}");
    }
    let posted = Request::new("POST", "/metrics").send(address);
    assert_eq!(posted.status, 405);
    server.stop();
}

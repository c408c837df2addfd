//! CORS.

use crate::http::{Answer, Request};
use crate::program::Program;

fn preflight(origin: &str) -> Request {
    Request::new("OPTIONS", "/support/chatkit")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
}

fn allowed(answer: &Answer) -> Option<&str> {
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    answer.header("access-control-allow-origin")
}

#[test]
fn loopback_pages_are_allowed() {
    let server = Program::new().start();
    let origin = "http://localhost:5173";
    let answer = preflight(origin).send(server.address);
    assert_eq!(answer.status, 200);
    assert_eq!(allowed(&answer), Some(origin));
    let headers = answer.header("access-control-allow-headers");
    assert_eq!(headers, Some("authorization,content-type"));
    let methods = answer.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST"), "{methods}");

    let answer = Request::hello()
        .header("origin", origin)
        .send(server.address);
    assert_eq!(answer.status, 401);
    assert_eq!(allowed(&answer), Some(origin));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate"), "{exposed}");

    let token = server.line("eyJ");
    let request = Request::hello().header("origin", origin).bearer(&token);
    let answer = request.send(server.address);
    assert_eq!((answer.status, allowed(&answer)), (200, Some(origin)));

    for (origin, expected) in [
        ("http://localhost", true),
        ("https://localhost:3000", true),
        ("http://127.0.0.1:3000", true),
        ("http://[::1]:3000", true),
        ("https://app.example.com", false),
        ("null", false),
        ("http://localhost.example.com", false),
        ("http://127.0.0.1.example.com", false),
        ("http://example.com", false),
        ("http://localhost@example.com", false),
        ("ftp://localhost", false),
        ("file://localhost", false),
        ("localhost", false),
    ] {
        let answer = preflight(origin).send(server.address);
        assert_eq!(allowed(&answer), expected.then_some(origin));
    }
}

#[test]
fn only_listed_origins_are_allowed() {
    let list = "https://app.example.com, https://www.example.com";
    let server = Program::new().set("CORS_ORIGINS", list).start();
    for (origin, expected) in [
        ("https://app.example.com", true),
        ("https://www.example.com", true),
        ("https://app.example.com.evil.example", false),
        ("http://app.example.com", false),
        ("http://localhost:5173", false),
        ("null", false),
    ] {
        let answer = preflight(origin).send(server.address);
        assert_eq!(allowed(&answer), expected.then_some(origin));
    }
}

#[test]
fn wildcard_allows_no_credentials() {
    let server = Program::new().set("CORS_ORIGINS", "*").start();
    let answer = preflight("https://app.example.com").send(server.address);
    assert_eq!(allowed(&answer), Some("*"));
}

#[test]
fn trusted_pages_may_send_cookies() {
    let trusted = "https://app.example.com,https://*.shop.example.com";
    let server = Program::new()
        .set("BETTER_AUTH_TRUSTED_ORIGINS", trusted)
        .start();
    for (origin, expected) in [
        ("https://app.example.com", Some("true")),
        ("https://a.shop.example.com", Some("true")),
        // Allowed without cookies, as a page on this machine.
        ("http://localhost:5173", None),
    ] {
        let answer = preflight(origin).send(server.address);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        let credentials = answer.header("access-control-allow-credentials");
        assert_eq!(credentials, expected, "{origin}");
    }
    let answer = preflight("https://evil.example").send(server.address);
    assert_eq!(allowed(&answer), None);
}

#[test]
fn invalid_origins_are_rejected() {
    for entry in [
        "app.example.com",
        "https://",
        "https://app.example.com/",
        "https://App.example.com",
        "https://user@app.example.com",
        "https://app example.com",
        "null",
        "*,https://app.example.com",
        "https://app.example.com,,http://localhost:3000",
    ] {
        let error = Program::new().set("CORS_ORIGINS", entry).start_error();
        let prefix = "`CORS_ORIGINS` has an invalid entry: ";
        assert!(error.starts_with(prefix), "{entry}: {error}");
    }
}

//! Web pages of other origins.

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
fn pages_of_this_machine_may_call_and_read_refusals() {
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

    let answer = preflight("https://app.example.com").send(server.address);
    assert_eq!(allowed(&answer), None);
}

#[test]
fn the_list_is_the_list() {
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
fn every_page_is_admitted_without_credentials_only() {
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
        // Admitted, as every page of this machine, and without cookies.
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

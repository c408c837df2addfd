//! Requests that are too large.

use crate::http::Request;
use crate::program::Program;

#[test]
fn heads_have_a_limit() {
    let server = Program::new().start();
    let with_headers = |count| {
        // Three are there already: host, content-length, connection.
        (3..count).fold(Request::get("/healthz"), |request, number| {
            request.header(&format!("x-{number}"), "1")
        })
    };
    assert_eq!(with_headers(100).send(server.address).status, 200);
    assert_eq!(with_headers(101).send(server.address).status, 431);

    let with_bytes = |count| Request::get("/healthz").header("x", &"x".repeat(count));
    assert_eq!(with_bytes(32 * 1024).send(server.address).status, 200);
    assert_eq!(with_bytes(64 * 1024).send(server.address).status, 431);
}

//! What becomes of a stream when its user signs out.

use std::time::{Duration, Instant};

use crate::http::Request;
use crate::program::Program;

#[test]
fn a_stream_ends_within_a_second_of_the_sign_out() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let server = program.start();
    // Forty seconds of words.
    let mut stream = Request::long_hello(2000)
        .bearer(&token)
        .open(server.address);
    assert!(stream.piece().unwrap().contains("thread.created"));
    program
        .database()
        .execute("DELETE FROM session", [])
        .unwrap();
    let start = Instant::now();
    let rest = stream.finish().body;
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert!(
        !rest.contains("Hello usr_alice, "),
        "the answer is complete"
    );
    let again = Request::hello().bearer(&token).send(server.address);
    assert_eq!(again.status, 404);
    server.stop();
}

//! Graceful shutdown, and the end of streams.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::http::Request;
use crate::program::Program;

#[test]
fn shutdown_completes_open_streams() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let mut server = program.start();
    let address = server.address;
    let mut stream = Request::long_hello(80).bearer(&token).open(address);
    assert!(stream.chunk().unwrap().contains("thread.created"));
    server.signal("-TERM");
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    // Connections are rejected while the stream is still open.
    assert!(server.is_running());
    let rest = stream.finish().body;
    let last = rest.trim_end().lines().last().unwrap();
    assert!(last.contains(r#""type":"thread.item.done""#), "{last}");
    assert!(last.contains("Hello usr_alice, "), "{last}");
    let (code, lines, log) = server.wait();
    assert_eq!(
        (code, lines),
        (Some(0), vec!["user_id=usr_alice".to_owned()])
    );
    assert!(log.contains("stopping"), "{log}");
    assert!(!log.contains("aborted"), "{log}");
}

#[test]
fn shutdown_closes_idle_connections() {
    let server = Program::with_database().start();
    let _silent = TcpStream::connect(server.address).unwrap();
    let start = Instant::now();
    assert_eq!(server.stop().0, Some(0));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn sign_out_ends_a_stream() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let server = program.start();
    // The reply takes 40 seconds.
    let mut stream = Request::long_hello(2000)
        .bearer(&token)
        .open(server.address);
    assert!(stream.chunk().unwrap().contains("thread.created"));
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
    assert!(!rest.contains("Hello usr_alice, "), "the reply is complete");
    let again = Request::hello().bearer(&token).send(server.address);
    assert_eq!(again.status, 404);
    server.stop();
}

/// One line of this size is more than the buffer of a pipe.
#[test]
fn full_console_does_not_block() {
    let program = Program::with_database();
    let id = "x".repeat(200_000);
    let database = program.database();
    for sql in [
        r#"UPDATE "user" SET "id" = ? WHERE "id" = 'usr_alice'"#,
        r#"UPDATE "session" SET "userId" = ? WHERE "id" = 's1'"#,
    ] {
        database.execute(sql, [&id]).unwrap();
    }
    let token = program.token("alice@example.com");
    let server = program.start_unread();
    for _ in 0..3 {
        let request = Request::get("/support/chatkit").bearer(&token);
        assert_eq!(request.send(server.address).status, 405);
    }
    let start = Instant::now();
    assert_eq!(server.stop().0, Some(0));
    assert!(start.elapsed() < Duration::from_secs(10));
}

//! The end.

use std::net::TcpStream;

use crate::http::Request;
use crate::program::Program;

#[test]
fn an_open_stream_is_told_to_its_end() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let mut server = program.start();
    let address = server.address;
    let mut stream = Request::long_hello(80).bearer(&token).open(address);
    assert!(stream.piece().unwrap().contains("thread.created"));
    server.signal("-TERM");
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    // Refused while the stream goes on, not because everything is over.
    assert!(server.is_running());
    let rest = stream.finish().body;
    let last = rest.trim_end().lines().last().unwrap();
    assert!(last.contains(r#""type":"thread.item.done""#), "{last}");
    assert!(last.contains("Hello usr_alice, "), "{last}");
    let (code, lines, log) = server.end();
    assert_eq!(
        (code, lines),
        (Some(0), vec!["user_id=usr_alice".to_owned()])
    );
    assert!(log.contains("stopping"), "{log}");
    assert!(!log.contains("cut off"), "{log}");
}

#[test]
fn idle_connections_do_not_hold_up_the_end() {
    let server = Program::with_database().start();
    let _silent = TcpStream::connect(server.address).unwrap();
    let start = std::time::Instant::now();
    assert_eq!(server.stop().0, Some(0));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

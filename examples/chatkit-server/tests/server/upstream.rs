//! A ChatKit server as upstream.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread,
};

use crate::http::Request;
use crate::program::Program;

#[test]
fn upstream_gets_user_and_streams() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (resume, wait) = std::sync::mpsc::channel::<()>();
    let upstream = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        let mut body = vec![0; r#"{"message":"Hello"}"#.len()];
        reader.read_exact(&mut body).unwrap();
        let response_head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                              transfer-encoding: chunked\r\n\r\n";
        let send = |connection: &mut std::net::TcpStream, text: &str| {
            connection.write_all(text.as_bytes()).unwrap();
        };
        send(&mut connection, response_head);
        send(&mut connection, "9\r\ndata: 1\n\n\r\n");
        wait.recv().unwrap();
        send(&mut connection, "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
        (head.to_ascii_lowercase(), String::from_utf8(body).unwrap())
    });

    let upstream_url = format!("http://{address}/chatkit");
    let program = Program::with_database().set("CHATKIT_UPSTREAM", &upstream_url);
    let token = program.token("alice@example.com");
    let server = program.start();
    assert_eq!(Request::hello().send(server.address).status, 401);
    let request = Request::hello()
        .header("x-user-id", "mallory")
        .bearer(&token);
    let mut stream = request.open(server.address);
    assert_eq!(stream.chunk().as_deref(), Some("data: 1\n\n"));
    resume.send(()).unwrap();
    assert_eq!(stream.chunk().as_deref(), Some("data: 2\n\n"));
    assert_eq!(stream.chunk(), None);
    assert_eq!(server.line("user_id="), "user_id=usr_alice");

    let (head, body) = upstream.join().unwrap();
    assert!(head.starts_with("post /chatkit http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nx-user-id: usr_alice\r\n"), "{head}");
    assert!(
        head.contains("\r\nx-user-email: alice@example.com\r\n"),
        "{head}"
    );
    assert!(
        !head.contains("mallory") && !head.contains("authorization"),
        "{head}"
    );
    assert_eq!(body, r#"{"message":"Hello"}"#);
}

//! Databases that are down.

use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use crate::http::Request;
use crate::program::{Program, SECRET};

/// The store's timeout is five seconds; the rest is for slow machines.
const LIMIT: Duration = Duration::from_secs(9);

#[test]
fn unavailable_database_gets_503() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let program = Program::new()
        .set(
            "DATABASE_URL",
            &format!("postgres://app:hunter2@{address}/app"),
        )
        .set("BETTER_AUTH_SECRET", SECRET);
    let token = program.token("alice@example.com");
    let server = program.start();
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let answer = Request::get("/readyz").send(server.address);
            answer.assert_json(503, r#"{"status":"unavailable"}"#);
        });
        scope.spawn(|| {
            let answer = Request::hello().bearer(&token).send(server.address);
            let body = r#"{"error": "Authentication temporarily unavailable", "status": 503}"#;
            answer.assert_json(503, body);
            assert_eq!(answer.header("retry-after"), Some("1"));
        });
        scope.spawn(|| {
            let answer = Request::get("/healthz").send(server.address);
            answer.assert_json(200, r#"{"status":"ok"}"#);
            // An invalid token is rejected without the database.
            assert_eq!(
                Request::hello().bearer("a.b.c").send(server.address).status,
                401
            );
            assert!(start.elapsed() < Duration::from_secs(3));
        });
    });
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    let (_, _, log) = server.stop();
    assert!(log.contains("not ready"), "{log}");
    assert!(!log.contains("hunter2") && !log.contains(&token), "{log}");
}

#[test]
fn recovered_database_is_used_at_once() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    program
        .database()
        .execute_batch(r#"DROP TABLE "user"; DROP TABLE "session""#)
        .unwrap();
    let server = program.start();
    let hello = Request::hello().bearer(&token);
    assert_eq!(Request::get("/readyz").send(server.address).status, 503);
    assert_eq!(hello.send(server.address).status, 503);
    program.create_tables();
    assert_eq!(Request::get("/readyz").send(server.address).status, 200);
    assert_eq!(hello.send(server.address).status, 404);
}

//! Who gets in, and what the others read.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::http::{Answer, Request};
use crate::program::{Program, SECRET};

const UNAUTHORIZED: &str = r#"{"error": "Invalid or expired JWT token", "status": 401}"#;
const NO_USER: &str = r#"{"error": "User not found with provided email", "status": 404}"#;
const NO_SESSION: &str = r#"{"error": "No active sessions found for user", "status": 404}"#;

fn sign(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), claims, &key).unwrap()
}

#[test]
fn users_with_a_session_get_in_and_are_named_on_the_console() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let server = program.start();
    let answer = Request::hello().bearer(&token).send(server.address);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Hello usr_alice, "), "{}", answer.body);
    // A token of its own, such as that of the demo, would stand among these.
    let (code, lines, log) = server.stop();
    assert_eq!(
        (code, lines),
        (Some(0), vec!["user_id=usr_alice".to_owned()])
    );
    assert!(!log.contains(&token) && !log.contains(SECRET), "{log}");
}

#[test]
fn the_others_get_the_contracts_sentences() {
    let program = Program::with_database();
    let token = |email| program.token(email);
    let nobody = token("nobody@example.com");
    let (bob, carol) = (token("bob@example.com"), token("carol@example.com"));
    let server = program.start();
    let send = |token: &str| Request::hello().bearer(token).send(server.address);
    send(&nobody).assert_json(404, NO_USER);
    send(&bob).assert_json(404, NO_SESSION);
    send(&carol).assert_json(404, NO_SESSION);
    let (_, lines, log) = server.stop();
    assert_eq!(lines, Vec::<String>::new());
    for token in [nobody, bob, carol] {
        assert!(!log.contains(&token), "{log}");
    }
}

#[test]
fn tokens_that_prove_nothing_are_refused() {
    let program = Program::with_database();
    let alice = json!({ "email": "alice@example.com", "exp": 32_503_680_000_i64 });
    let expired = json!({ "email": "alice@example.com", "exp": 1_000_000_000 });
    let server = program.start();
    assert_eq!(
        Request::hello()
            .bearer(&sign(&alice, SECRET))
            .send(server.address)
            .status,
        200
    );

    let refused = |answer: &Answer, challenge: &str| {
        answer.assert_json(401, UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    };
    refused(&Request::hello().send(server.address), "Bearer");
    for token in [
        sign(&expired, SECRET),
        sign(&alice, "another-secret-of-another-app-4711"),
        "garbage".to_owned(),
        "a.b.c".to_owned(),
    ] {
        let answer = Request::hello().bearer(&token).send(server.address);
        refused(&answer, r#"Bearer error="invalid_token""#);
    }
}

#[test]
fn methods_and_paths_are_told_apart_behind_authentication_only() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let server = program.start();
    for method in ["GET", "PUT", "DELETE", "PATCH", "FOO"] {
        let request = Request::new(method, "/support/chatkit");
        let answer = request.send(server.address);
        answer.assert_json(401, UNAUTHORIZED);
        assert_eq!(answer.header("allow"), None);

        let answer = request.bearer(&token).send(server.address);
        answer.assert_json(405, r#"{"error":"Method not allowed","status":405}"#);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    for path in [
        "/",
        "/support/chatkit/",
        "//support/chatkit",
        "/support/ChatKit",
    ] {
        let answer = Request::new("POST", path).send(server.address);
        answer.assert_json(404, r#"{"error":"Not found","status":404}"#);
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

#[test]
fn probes_are_open_and_can_only_be_read() {
    let server = Program::with_database().start();
    for path in ["/healthz", "/readyz"] {
        Request::get(path)
            .send(server.address)
            .assert_json(200, r#"{"status":"ok"}"#);
        assert_eq!(Request::new("HEAD", path).send(server.address).status, 200);
        let answer = Request::new("POST", path).send(server.address);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD"))
        );
    }
}

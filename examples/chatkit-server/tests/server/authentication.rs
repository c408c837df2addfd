//! Authentication and the JSON contract.

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
fn authenticated_user_is_printed() {
    let program = Program::with_database();
    let token = program.token("alice@example.com");
    let server = program.start();
    let answer = Request::hello().bearer(&token).send(server.address);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Hello usr_alice, "), "{}", answer.body);
    // The output contains no demo token.
    let (code, lines, log) = server.stop();
    assert_eq!(
        (code, lines),
        (Some(0), vec!["user_id=usr_alice".to_owned()])
    );
    assert!(!log.contains(&token) && !log.contains(SECRET), "{log}");
}

#[test]
fn rejections_match_the_contract() {
    let program = Program::with_database();
    let token = |email| program.token(email);
    let unknown = token("unknown@example.com");
    let (bob, carol) = (token("bob@example.com"), token("carol@example.com"));
    let server = program.start();
    let send = |token: &str| Request::hello().bearer(token).send(server.address);
    send(&unknown).assert_json(404, NO_USER);
    send(&bob).assert_json(404, NO_SESSION);
    send(&carol).assert_json(404, NO_SESSION);
    let (_, lines, log) = server.stop();
    assert_eq!(lines, Vec::<String>::new());
    for token in [unknown, bob, carol] {
        assert!(!log.contains(&token), "{log}");
    }
}

#[test]
fn invalid_tokens_are_rejected() {
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

    let assert_rejected = |answer: &Answer, challenge: &str| {
        answer.assert_json(401, UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    };
    assert_rejected(&Request::hello().send(server.address), "Bearer");
    for token in [
        sign(&expired, SECRET),
        sign(&alice, "another-secret-of-another-app-4711"),
        "garbage".to_owned(),
        "a.b.c".to_owned(),
    ] {
        let answer = Request::hello().bearer(&token).send(server.address);
        assert_rejected(&answer, r#"Bearer error="invalid_token""#);
    }
}

#[test]
fn methods_are_checked_after_tokens() {
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
fn health_checks_need_no_token() {
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

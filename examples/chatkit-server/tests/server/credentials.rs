//! Better Auth's credentials and the variables that enable them.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;

use crate::http::Request;
use crate::program::{Program, SECRET};

const UNAUTHORIZED: &str = r#"{"error": "Invalid or expired JWT token", "status": 401}"#;
const CROSS_ORIGIN: &str = r#"{"error": "Cross-origin request refused", "status": 403}"#;

const TOKEN: &str = "XN6DtGUWabcdefghijklmnopqrstuvDc";

/// With a session token in Better Auth's format.
fn program() -> Program {
    let program = Program::with_database();
    let sql = r#"UPDATE "session" SET "token" = ? WHERE "id" = 's1'"#;
    program.database().execute(sql, [TOKEN]).unwrap();
    program
}

fn signed(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, token.as_bytes()));
    format!("{token}.{signature}")
}

fn cookie() -> String {
    let value = signed(TOKEN).replace('/', "%2F").replace('+', "%2B");
    format!("better-auth.session_token={}", value.replace('=', "%3D"))
}

#[test]
fn secret_enables_session_tokens() {
    let server = program().start();
    let by_cookie = || Request::hello().header("cookie", &cookie());
    assert_eq!(by_cookie().send(server.address).status, 200);
    let by_token = Request::hello().bearer(&signed(TOKEN));
    assert_eq!(by_token.send(server.address).status, 200);

    let raw = Request::hello().bearer(TOKEN);
    raw.send(server.address).assert_json(401, UNAUTHORIZED);
    let forged = cookie().replace("XN6", "XN7");
    let forged = Request::hello().header("cookie", &forged);
    forged.send(server.address).assert_json(401, UNAUTHORIZED);
}

#[test]
fn cookies_require_a_trusted_origin() {
    let trusted = "https://app.example.com";
    let program = program().set("BETTER_AUTH_TRUSTED_ORIGINS", trusted);
    let server = program.start();
    let from = |origin: &str| {
        let request = Request::hello().header("cookie", &cookie());
        request.header("origin", origin).send(server.address)
    };
    assert_eq!(from(trusted).status, 200);
    for origin in ["https://evil.example", "null", "http://localhost:5173"] {
        from(origin).assert_json(403, CROSS_ORIGIN);
    }
    let token = Request::hello().bearer(&signed(TOKEN));
    let answer = token
        .header("origin", "https://evil.example")
        .send(server.address);
    assert_eq!(answer.status, 200);
}

#[test]
fn base_url_enables_jwts() {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let x = URL_SAFE_NO_PAD.encode(key.public_key());
    let jwks =
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": x}]});
    let url = serve(&jwks.to_string());
    let program = program()
        .unset("BETTER_AUTH_SECRET")
        .set("BETTER_AUTH_URL", &url);
    let server = program.start();
    let jwt = |issuer: &str| {
        let claims =
            json!({"sub": "usr_alice", "iss": issuer, "aud": url, "exp": 32_503_680_000_i64});
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let input = format!(
            "{}.{}",
            part(r#"{"alg":"EdDSA","kid":"k"}"#),
            part(&claims.to_string())
        );
        let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()));
        format!("{input}.{signature}")
    };
    let answer = Request::hello().bearer(&jwt(&url)).send(server.address);
    assert_eq!(answer.status, 200);
    let other = Request::hello().bearer(&jwt("https://other.example"));
    other.send(server.address).assert_json(401, UNAUTHORIZED);
    // Without a secret, cookies cannot be verified.
    let by_cookie = Request::hello().header("cookie", &cookie());
    by_cookie
        .send(server.address)
        .assert_json(401, UNAUTHORIZED);
}

/// Serves a document at every path while the tests run.
fn serve(document: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{document}",
        document.len()
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn api_keys_are_off_by_default() {
    let program = program();
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"app_key-of-alice"));
    let database = program.database();
    database
        .execute_batch(
            r#"CREATE TABLE "apikey" ("id" text, "key" text, "referenceId" text, "enabled" integer, "expiresAt" date, "remaining" integer)"#,
        )
        .unwrap();
    let sql = r#"INSERT INTO "apikey" VALUES ('k1', ?, 'usr_alice', 1, NULL, NULL)"#;
    database.execute(sql, [&hash]).unwrap();
    let send = |address| {
        let request = Request::hello().header("x-api-key", "app_key-of-alice");
        request.send(address)
    };
    let server = program.start();
    send(server.address).assert_json(401, UNAUTHORIZED);
    server.stop();

    let server = program.set("BETTER_AUTH_API_KEYS", "on").start();
    assert_eq!(send(server.address).status, 200);
    let wrong = Request::hello().header("x-api-key", "app_key-of-mallory");
    wrong.send(server.address).assert_json(401, UNAUTHORIZED);
}

#[test]
fn invalid_settings_are_named() {
    for (name, value) in [
        ("BETTER_AUTH_URL", "app.example.com"),
        ("BETTER_AUTH_URL", "http://app.example.com"),
        ("BETTER_AUTH_JWKS_URL", "http://app.example.com/jwks"),
        ("BETTER_AUTH_TRUSTED_ORIGINS", "https://app.example.com/"),
        ("BETTER_AUTH_TRUSTED_ORIGINS", "*"),
        ("BETTER_AUTH_API_KEYS", "maybe"),
    ] {
        let output = program().set(name, value).run(&[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}={value}: {error}");
        assert!(error.contains(&format!("`{name}`")), "{error}");
    }
}

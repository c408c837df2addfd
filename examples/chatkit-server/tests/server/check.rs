//! The command `check`.

use std::net::TcpListener;

use crate::program::{Program, SECRET};

/// The output and the exit code.
fn check(program: &Program) -> (String, Option<i32>) {
    let output = program.run(&["check"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.is_empty(), "{log}");
    for secret in [SECRET, "hunter2", "alice@example.com"] {
        assert!(!text.contains(secret), "{text}");
    }
    (text, output.status.code())
}

#[track_caller]
fn assert_line(text: &str, prefix: &str, part: &str) {
    let line = text.lines().find(|line| line.starts_with(prefix));
    let line = line.unwrap_or_else(|| panic!("no line `{prefix}` in\n{text}"));
    assert!(line.contains(part), "no {part} in: {line}");
}

#[test]
fn healthy_deployment_is_reported() {
    let program = Program::with_database().set("BETTER_AUTH_ISSUER", "https://issuer.invalid/app");
    // The port may be in use by the server.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let program = program.unset("PORT").set("PORT", &port);
    let (text, code) = check(&program);
    assert_eq!(code, Some(0), "{text}");
    for prefix in [
        "ok       server: ",
        "ok       secret: ",
        "ok       issuer: ",
        "ok       store: answers",
        "ok       lookups: ",
    ] {
        assert_line(&text, prefix, "");
    }
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(program.leftovers().is_empty());
}

#[test]
fn warning_is_not_a_failure() {
    let (text, code) = check(&Program::with_database());
    assert_eq!(code, Some(0), "{text}");
    assert_line(&text, "warning  issuer: ", "set BETTER_AUTH_ISSUER");
}

#[test]
fn failed_checks_have_a_remedy() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let keys = format!("http://127.0.0.1:{port}/api/auth/jwks");
    let server = format!("postgres://app:hunter2@127.0.0.1:{port}/app");
    let own = |name: &str, value: &str| Program::with_database().unset(name).set(name, value);
    for (program, prefix, part) in [
        (Program::new(), "failed   DATABASE_URL: ", "set it to"),
        (
            own("BETTER_AUTH_SECRET", "hunter2"),
            "failed   BETTER_AUTH_SECRET: ",
            "set it to the secret",
        ),
        (
            own("DATABASE_URL", "sqlite:missing.sqlite"),
            "failed   DATABASE_URL: ",
            "missing.sqlite",
        ),
        (
            own("DATABASE_URL", &server),
            "failed   database: ",
            "DATABASE_URL",
        ),
        (
            own("BETTER_AUTH_JWKS_URL", &keys).set("BETTER_AUTH_URL", "https://app.example.com"),
            "failed   public keys: ",
            "BETTER_AUTH_JWKS_URL",
        ),
        (
            own("BETTER_AUTH_CACHE", "listen"),
            "failed   BETTER_AUTH_CACHE: ",
            "PostgreSQL",
        ),
        (
            own("PORT", "eighty"),
            "failed   server: `PORT` ",
            "write a number",
        ),
        (
            own("CORS_ORIGINS", "example.com"),
            "failed   server: `CORS_ORIGINS` ",
            "",
        ),
        (
            own("CHATKIT_UPSTREAM", "http://user:hunter2@127.0.0.1"),
            "failed   server: `CHATKIT_UPSTREAM` ",
            "",
        ),
    ] {
        let (text, code) = check(&program);
        assert_line(&text, prefix, part);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.ends_with("would reject requests.\n"), "{text}");
        assert!(program.leftovers().is_empty());
    }
    let program = Program::with_database();
    program
        .database()
        .execute_batch(r#"DROP TABLE "session""#)
        .unwrap();
    let (text, code) = check(&program);
    assert_line(&text, "failed   store: ", r#"table "session""#);
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn log_is_off_by_default() {
    let program = Program::with_database().set("RUST_LOG", "warn");
    let output = program.run(&["check"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("every issuer"), "{log}");
    for (program, prefix) in [
        (
            Program::with_database().set("RUST_LOG", "a=b=c"),
            "error: `RUST_LOG` ",
        ),
        (
            Program::new().file("A=b c d\n"),
            "error: `.env` cannot be parsed",
        ),
    ] {
        let output = program.run(&["check"]);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with(prefix), "{text}");
    }
}

//! The command `check`.

use std::net::TcpListener;

use crate::program::{Program, SECRET};

/// What it prints and its exit code.
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
fn assert_line(text: &str, beginning: &str, part: &str) {
    let line = text.lines().find(|line| line.starts_with(beginning));
    let line = line.unwrap_or_else(|| panic!("no line `{beginning}` in\n{text}"));
    assert!(line.contains(part), "{part} is not in: {line}");
}

#[test]
fn what_is_right_is_listed_and_nobody_is_served() {
    let program = Program::with_database().set("BETTER_AUTH_ISSUER", "https://issuer.invalid/app");
    // The server may be running meanwhile.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let program = program.unset("PORT").set("PORT", &port);
    let (text, code) = check(&program);
    assert_eq!(code, Some(0), "{text}");
    for beginning in [
        "ok       server: ",
        "ok       secret: ",
        "ok       issuer: ",
        "ok       store: answers",
        "ok       lookups: by e-mail address, by session token are answered",
    ] {
        assert_line(&text, beginning, "");
    }
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(program.leftovers().is_empty());
}

#[test]
fn a_warning_is_no_failure() {
    let (text, code) = check(&Program::with_database());
    assert_eq!(code, Some(0), "{text}");
    assert_line(&text, "warning  issuer: ", "set BETTER_AUTH_ISSUER");
}

#[test]
fn what_is_wrong_is_on_a_line_with_its_remedy() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let keys = format!("http://127.0.0.1:{port}/api/auth/jwks");
    let server = format!("postgres://app:hunter2@127.0.0.1:{port}/app");
    let own = |name: &str, value: &str| Program::with_database().unset(name).set(name, value);
    for (program, beginning, part) in [
        (Program::new(), "failed   settings: ", "set DATABASE_URL"),
        (
            own("BETTER_AUTH_SECRET", "hunter2"),
            "failed   BETTER_AUTH_SECRET: ",
            "set it to the value",
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
            "can be reached from here",
        ),
        (
            own("BETTER_AUTH_CACHE", "listen"),
            "failed   BETTER_AUTH_CACHE: ",
            "only PostgreSQL",
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
        (
            Program::new().file("A=b c d\n"),
            "failed   .env: ",
            "line 1",
        ),
    ] {
        let (text, code) = check(&program);
        assert_line(&text, beginning, part);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.ends_with("would not start.\n"), "{text}");
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
fn more_is_logged_where_somebody_asks() {
    let program = Program::with_database().set("RUST_LOG", "warn");
    let output = program.run(&["check"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("every issuer"), "{log}");
    let program = Program::with_database().set("RUST_LOG", "a=b=c");
    let (text, code) = check(&program);
    assert_line(&text, "failed   server: `RUST_LOG` ", "write a level");
    assert_eq!(code, Some(1), "{text}");
}

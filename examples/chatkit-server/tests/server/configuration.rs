//! Sources of settings, and messages for invalid ones.

use std::net::TcpListener;

use crate::http::Request;
use crate::program::{Program, SECRET};

#[test]
fn errors_name_the_variable() {
    let secret = ("BETTER_AUTH_SECRET", SECRET);
    let database = ("DATABASE_URL", "postgres://app:hunter2@127.0.0.1/app");
    for (variables, name, problem) in [
        (
            vec![("PORT", "eighty")],
            "PORT",
            "write a number from 0 to 65535",
        ),
        (
            vec![("PORT", "65536")],
            "PORT",
            "write a number from 0 to 65535",
        ),
        (vec![secret], "DATABASE_URL", "is not set"),
        (vec![database], "BETTER_AUTH_SECRET", "is not set"),
        (
            vec![secret, ("DATABASE_URL", "hunter2")],
            "DATABASE_URL",
            "is not a URL",
        ),
        (
            vec![
                secret,
                ("DATABASE_URL", "mysql://app:hunter2@127.0.0.1/app"),
            ],
            "DATABASE_URL",
            "names a database",
        ),
        (
            vec![secret, ("DATABASE_URL", "sqlite:missing.sqlite")],
            "DATABASE_URL",
            "missing.sqlite",
        ),
        (
            vec![database, ("BETTER_AUTH_SECRET", "hunter2")],
            "BETTER_AUTH_SECRET",
            "7 bytes",
        ),
        (
            vec![("BETTER_AUTH_SCHEMA", "pascal")],
            "BETTER_AUTH_SCHEMA",
            "write `camel`",
        ),
        (
            vec![("CORS_ORIGINS", "example.com")],
            "CORS_ORIGINS",
            "has an invalid entry",
        ),
        (vec![("RUST_LOG", "a=b=c")], "RUST_LOG", "write a level"),
    ] {
        let program = variables
            .iter()
            .fold(Program::new(), |program, (name, value)| {
                program.set(name, value)
            });
        let error = program.start_error();
        assert!(error.starts_with(&format!("`{name}` ")), "{name}: {error}");
        assert!(error.contains(problem), "{name}: {error}");
        assert!(
            !error.contains("hunter2") && !error.contains(SECRET),
            "{error}"
        );
    }
    let error = Program::new()
        .set("CHATKIT_UPSTREAM", "http://user:hunter2@127.0.0.1")
        .start_error();
    assert!(
        error.starts_with("`CHATKIT_UPSTREAM` contains a user name"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn malformed_file_is_rejected() {
    let error = Program::new()
        .file("PORT=0\n\nBETTER_AUTH_SECRET=hunter2 hunter2 hunter2\n")
        .start_error();
    assert!(
        error.starts_with("`.env` cannot be parsed after the variable PORT"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn dollar_in_file_is_rejected() {
    let error = Program::new()
        .file("BETTER_AUTH_SECRET=hunter2-hunter2-hunter2-$hunter2\n")
        .start_error();
    assert!(
        error.starts_with("`BETTER_AUTH_SECRET` has a `$`"),
        "{error}"
    );
    assert!(error.contains("single quotes"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn bind_error_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let error = Program::new().set("PORT", &port).start_error();
    let prefix = format!("cannot listen on `HOST` 127.0.0.1, `PORT` {port}: ");
    assert!(error.starts_with(&prefix), "{error}");
    for host in ["192.0.2.1", "http://127.0.0.1", "127.0.0.1:80"] {
        let error = Program::new().set("HOST", host).start_error();
        let prefix = format!("cannot listen on `HOST` {host}, `PORT` 0: ");
        assert!(error.starts_with(&prefix), "{error}");
    }
}

#[test]
fn environment_overrides_the_file() {
    // The file's port is invalid and overridden. Empty variables count as unset.
    let program = Program::with_database()
        .unset("BETTER_AUTH_SECRET")
        .set("BETTER_AUTH_SECRET", "")
        .set("DATABASE_URL", "")
        .file(&format!(
            "PORT=none\nexport BETTER_AUTH_SECRET='{SECRET}' # shared\nDATABASE_URL=\"sqlite:auth.sqlite\"\n"
        ));
    let token = program.token("alice@example.com");
    let server = program.start();
    assert_eq!(
        Request::hello().bearer(&token).send(server.address).status,
        200
    );
    assert_eq!(server.line("user_id="), "user_id=usr_alice");

    let program = program.set("BETTER_AUTH_SECRET", "another-secret-of-another-app-4711");
    let server = program.start();
    assert_eq!(
        Request::hello().bearer(&token).send(server.address).status,
        401
    );
}

#[test]
fn host_may_be_a_name_or_in_brackets() {
    for host in [" localhost ", "0.0.0.0", "[127.0.0.1]"] {
        let server = Program::new().set("HOST", host).start();
        let curl = server.line("curl -N ");
        assert!(!curl.contains("0.0.0.0"), "{curl}");
    }
}

//! Where the settings come from, and what is said about those that cannot be used.

use std::net::TcpListener;

use crate::http::Request;
use crate::program::{Program, SECRET};

#[test]
fn every_error_names_the_variable_and_repeats_no_secret() {
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
        (
            vec![("HOST", "http://127.0.0.1")],
            "HOST",
            "is not an address",
        ),
        (vec![("HOST", "127.0.0.1:80")], "HOST", "is not an address"),
        (vec![("HOST", "192.0.2.1")], "HOST", "cannot be listened on"),
        (vec![secret], "DATABASE_URL", "is not set"),
        (vec![database], "BETTER_AUTH_SECRET", "is not set"),
        (
            vec![secret, ("DATABASE_URL", "hunter2")],
            "DATABASE_URL",
            "is not an address",
        ),
        (
            vec![
                secret,
                ("DATABASE_URL", "mysql://app:hunter2@127.0.0.1/app"),
            ],
            "DATABASE_URL",
            "names a database that no store",
        ),
        (
            vec![secret, ("DATABASE_URL", "sqlite:missing.sqlite")],
            "DATABASE_URL",
            "names a file that is not there: missing.sqlite",
        ),
        (
            vec![database, ("BETTER_AUTH_SECRET", "hunter2")],
            "BETTER_AUTH_SECRET",
            "the secret has 7 bytes",
        ),
        (
            vec![("BETTER_AUTH_SCHEMA", "pascal")],
            "BETTER_AUTH_SCHEMA",
            "write `auto`",
        ),
        (
            vec![("CORS_ORIGINS", "example.com")],
            "CORS_ORIGINS",
            "is no origin",
        ),
        (vec![("RUST_LOG", "a=b=c")], "RUST_LOG", "write a level"),
    ] {
        let program = variables
            .iter()
            .fold(Program::new(), |program, (name, value)| {
                program.set(name, value)
            });
        let error = program.refusal();
        assert!(error.starts_with(&format!("`{name}` ")), "{name}: {error}");
        assert!(error.contains(problem), "{name}: {error}");
        assert!(
            !error.contains("hunter2") && !error.contains(SECRET),
            "{error}"
        );
    }
    let error = Program::new()
        .set("CHATKIT_UPSTREAM", "http://user:hunter2@127.0.0.1")
        .refusal();
    assert!(
        error.starts_with("`CHATKIT_UPSTREAM` contains a user name"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_malformed_file_is_named_by_its_line_alone() {
    let error = Program::new()
        .file("PORT=0\n\nBETTER_AUTH_SECRET=hunter2 hunter2 hunter2\n")
        .refusal();
    assert!(
        error.starts_with("`.env` cannot be understood in line 3; write `NAME=value`"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_dollar_in_the_file_is_never_replaced_in_silence() {
    let error = Program::new()
        .file("BETTER_AUTH_SECRET=hunter2-hunter2-hunter2-$hunter2\n")
        .refusal();
    assert!(
        error.starts_with("`BETTER_AUTH_SECRET` has a `$` in the .env file"),
        "{error}"
    );
    assert!(error.contains("single quotes"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_a_sentence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let error = Program::new().set("PORT", &port).refusal();
    assert!(
        error.starts_with(&format!("port {port} of 127.0.0.1 is taken")),
        "{error}"
    );
    assert!(error.contains("set `PORT`"), "{error}");
}

#[test]
fn the_file_stands_behind_the_environment() {
    // The file's port is no port: it is not looked at. The empty variables count as not set.
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
fn a_host_may_be_a_name_or_have_brackets() {
    for host in ["localhost", "0.0.0.0"] {
        let server = Program::new().set("HOST", host).start();
        let curl = server.line("curl -N ");
        assert!(!curl.contains("0.0.0.0"), "{curl}");
    }
}

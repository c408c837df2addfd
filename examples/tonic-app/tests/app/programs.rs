//! The server and client programs, with a SQLite database.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use better_auth_layer::Secret;
use better_auth_layer::clock::{Clock as _, SystemClock};
use better_auth_layer::testing::{Credential, TestClock, TestDeployment};
use rusqlite::Connection;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

const SECRET: &str = "a-secret-of-the-deployment-under-test";

const DATABASE: &str = r#"
    CREATE TABLE "user" ("id" text primary key, "name" text, "email" text, "emailVerified" integer, "role" text);
    CREATE TABLE "session" ("id" text primary key, "expiresAt" date, "token" text, "userId" text);
    INSERT INTO "user" VALUES ('usr_grace', 'Grace', 'grace@example.com', 1, 'admin');
    INSERT INTO "session" VALUES ('ses_grace', '2999-01-01T00:00:00.000Z', 'x', 'usr_grace');
"#;

/// A new directory with a database and without a `.env`.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    let database = Connection::open(directory.join("auth.sqlite")).unwrap();
    database.execute_batch(DATABASE).unwrap();
    directory
}

fn program(path: &str, directory: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path);
    command
        .current_dir(directory)
        .env_clear()
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

struct Server {
    address: String,
    _child: Child,
    _lines: Lines<BufReader<ChildStdout>>,
}

async fn serve(directory: &Path) -> Server {
    let variables = [
        ("DATABASE_URL", "sqlite:auth.sqlite"),
        ("BETTER_AUTH_SECRET", SECRET),
        ("LISTEN", "127.0.0.1:0"),
    ];
    let mut command = program(env!("CARGO_BIN_EXE_server"), directory, &variables);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.strip_prefix("listening on ").unwrap().to_owned();
    Server {
        address,
        _child: child,
        _lines: lines,
    }
}

/// Runs the client. Returns whether it succeeded, and its output.
async fn client(directory: &Path, variables: &[(&str, &str)], line: &[&str]) -> (bool, String) {
    let mut command = program(env!("CARGO_BIN_EXE_client"), directory, variables);
    let output = command.args(line).output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// A token for the user in the database.
fn token() -> Credential {
    let issuer = TestDeployment::builder()
        .secret(Secret::new(SECRET).unwrap())
        .clock(TestClock::at(SystemClock.now()))
        .build();
    let grace = issuer.user("grace@example.com").id("usr_grace").create();
    grace.sign_in().secret_jwt().mint()
}

#[tokio::test]
async fn client_reads_and_posts() {
    let directory = directory("reads-and-posts");
    let server = serve(&directory).await;
    let token = token();
    let variables = [("TOKEN", token.text()), ("SERVER", &*server.address)];

    let answer = client(&directory, &variables, &["whoami"]).await;
    let grace = "usr_grace grace@example.com secret_jwt\n".to_owned();
    assert_eq!(answer, (true, grace));

    let mut watching = program(env!("CARGO_BIN_EXE_client"), &directory, &variables);
    let mut watching = watching.arg("watch").spawn().unwrap();
    let mut notices = BufReader::new(watching.stdout.take().unwrap()).lines();
    let line = notices.next_line().await.unwrap().unwrap();
    assert_eq!(line, "watching");
    let answer = client(&directory, &variables, &["post", "hello"]).await;
    assert_eq!(answer, (true, "posted; 1 watching\n".to_owned()));
    let line = notices.next_line().await.unwrap().unwrap();
    assert_eq!(line, "usr_grace: hello");
}

#[tokio::test]
async fn client_reports_errors() {
    let directory = directory("client-errors");
    let server = serve(&directory).await;
    let server = ("SERVER", &*server.address);
    let (success, text) = client(&directory, &[server], &["whoami"]).await;
    assert!(!success);
    assert_eq!(text, "error: `TOKEN` is not set; set it to a token\n");
    let (success, text) = client(&directory, &[server, ("TOKEN", "x.y.z")], &["whoami"]).await;
    assert!(!success);
    let rejected = "error: Unauthenticated: Invalid or expired JWT token\n";
    assert_eq!(text, rejected);
    for line in [
        &[][..],
        &["--help"],
        &["dance"],
        &["post"],
        &["post", "two", "words"],
    ] {
        let (success, text) = client(&directory, &[server], line).await;
        assert!(!success);
        assert!(text.starts_with("error: usage: client whoami"), "{text}");
    }
}

#[tokio::test]
async fn server_names_the_missing_setting() {
    let directory = directory("which-setting");
    let database = ("DATABASE_URL", "sqlite:auth.sqlite");
    let secret = ("BETTER_AUTH_SECRET", SECRET);
    for (variables, expected) in [
        (&[secret][..], "error: `DATABASE_URL` is not set; "),
        (&[database][..], "error: `BETTER_AUTH_SECRET` is not set; "),
        (
            &[database, secret, ("LISTEN", "50051")][..],
            "error: `LISTEN` is not a socket address; ",
        ),
    ] {
        let mut command = program(env!("CARGO_BIN_EXE_server"), &directory, variables);
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        let mut lines = text.lines();
        assert!(lines.any(|line| line.starts_with(expected)), "{text}");
    }
}

//! The server without settings.

use std::os::unix::fs::PermissionsExt as _;

use crate::http::Request;
use crate::program::Program;

#[test]
fn demo_token_opens_a_stream() {
    let program = Program::new();
    let server = program.start();
    let token = server.line("eyJ");
    let curl = server.line("curl -N ");
    let url = format!("http://{}/support/chatkit", server.address);
    assert!(curl.contains(&url), "{curl}");
    assert!(curl.contains(&token), "{curl}");
    assert!(curl.contains(r#"-d '{"message":"Hello"}'"#), "{curl}");

    let answer = Request::hello().bearer(&token).send(server.address);
    assert_eq!(answer.status, 200);
    let content_type = answer.header("content-type").unwrap();
    assert!(content_type.starts_with("text/event-stream"));
    let prefix = r#"data: {"type":"thread.created","#;
    assert!(answer.body.starts_with(prefix), "{}", answer.body);
    assert!(answer.body.contains("Hello demo-user, "), "{}", answer.body);
    assert_eq!(server.line("user_id="), "user_id=demo-user");

    let [directory] = program.leftovers().try_into().unwrap();
    let mode = directory.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "the demo database is private");
    let (code, lines, log) = server.stop();
    assert_eq!((code, lines), (Some(0), Vec::new()));
    assert!(!log.contains(&token), "{log}");
    assert_eq!(program.leftovers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn printed_curl_command_works() {
    let server = Program::new().start();
    let line = server.line("curl -N ");
    let shell = std::process::Command::new("sh")
        .args(["-c", &line])
        .output();
    let output = shell.unwrap();
    if output.status.code() == Some(127) {
        // curl is not installed. The first test checks the text of the command.
        return;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with(r#"data: {"type":"thread.created""#),
        "{text}"
    );
}

#[test]
fn demo_secrets_differ() {
    let servers = [Program::new().start(), Program::new().start()];
    let token = servers[0].line("eyJ");
    let request = Request::hello().bearer(&token);
    assert_eq!(request.send(servers[0].address).status, 200);
    assert_eq!(request.send(servers[1].address).status, 401);
}

#[test]
fn demo_uses_configured_claims() {
    let program = Program::new()
        .set("BETTER_AUTH_ISSUER", "https://app.example.com")
        .set("BETTER_AUTH_AUDIENCE", "chatkit,other");
    let server = program.start();
    let token = server.line("eyJ");
    assert_eq!(
        Request::hello().bearer(&token).send(server.address).status,
        200
    );
}

#[test]
fn ctrl_c_removes_demo_files() {
    let program = Program::new();
    let server = program.start();
    server.line("curl -N ");
    server.signal("-INT");
    assert_eq!(server.wait().0, Some(0));
    assert!(program.leftovers().is_empty());
}

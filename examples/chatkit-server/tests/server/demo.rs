//! Started with nothing set.

use crate::http::Request;
use crate::program::Program;

#[test]
fn the_printed_token_opens_the_stream_and_nothing_stays_behind() {
    let program = Program::new();
    let server = program.start();
    let token = server.line("eyJ");
    let curl = server.line("curl -N ");
    let address = format!("http://{}/support/chatkit", server.address);
    assert!(curl.contains(&address), "{curl}");
    assert!(curl.contains(&token), "{curl}");
    assert!(curl.contains(r#"-d '{"message":"Hello"}'"#), "{curl}");

    let answer = Request::hello().bearer(&token).send(server.address);
    assert_eq!(answer.status, 200);
    let content_type = answer.header("content-type").unwrap();
    assert!(content_type.starts_with("text/event-stream"));
    let beginning = r#"data: {"type":"thread.created","#;
    assert!(answer.body.starts_with(beginning), "{}", answer.body);
    assert!(answer.body.contains("Hello demo-user, "), "{}", answer.body);
    assert_eq!(server.line("user_id="), "user_id=demo-user");

    assert_eq!(program.leftovers().len(), 1);
    let (code, lines, log) = server.stop();
    assert_eq!((code, lines), (Some(0), Vec::new()));
    assert!(!log.contains(&token), "{log}");
    assert_eq!(program.leftovers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn pasting_the_curl_line_works() {
    let server = Program::new().start();
    let line = server.line("curl -N ");
    let shell = std::process::Command::new("sh")
        .args(["-c", &line])
        .output();
    let output = shell.unwrap();
    if output.status.code() == Some(127) {
        // No curl here. What the line says is checked above.
        return;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with(r#"data: {"type":"thread.created""#),
        "{text}"
    );
}

#[test]
fn every_demo_has_a_secret_of_its_own() {
    let servers = [Program::new().start(), Program::new().start()];
    let token = servers[0].line("eyJ");
    let request = Request::hello().bearer(&token);
    assert_eq!(request.send(servers[0].address).status, 200);
    assert_eq!(request.send(servers[1].address).status, 401);
}

#[test]
fn the_token_has_the_issuer_that_is_asked_for() {
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
fn ctrl_c_removes_the_demo_too() {
    let program = Program::new();
    let server = program.start();
    server.line("curl -N ");
    server.signal("-INT");
    assert_eq!(server.end().0, Some(0));
    assert!(program.leftovers().is_empty());
}

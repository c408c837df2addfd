//! The command `token` and the command line.

use jsonwebtoken::{DecodingKey, Validation, decode};
use serde_json::Value;

use crate::program::{Program, SECRET};

fn claims(token: &str, issuer: Option<&str>) -> Value {
    let mut validation = Validation {
        validate_aud: false,
        ..Validation::default()
    };
    if let Some(issuer) = issuer {
        validation.set_issuer(&[issuer]);
    }
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let token = decode::<Value>(token, &key, &validation).unwrap();
    assert_eq!(token.header.typ.as_deref(), Some("JWT"));
    token.claims
}

#[test]
fn token_has_the_required_claims() {
    let program = Program::new().set("BETTER_AUTH_SECRET", SECRET);
    let token = claims(&program.token("alice@example.com"), None);
    assert_eq!(token["email"], "alice@example.com");
    let lifetime = token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 3600);
    assert_eq!(token.as_object().unwrap().len(), 3, "{token}");

    let issuer = "https://app.example.com";
    let program = program
        .set("BETTER_AUTH_ISSUER", issuer)
        .set("BETTER_AUTH_AUDIENCE", "chatkit, other");
    let output = program.run(&["token", "--email", "a@example.com", "--sub", "usr_alice"]);
    let token = String::from_utf8(output.stdout).unwrap();
    let token = claims(token.trim(), Some(issuer));
    assert_eq!(token["sub"], "usr_alice");
    assert_eq!(token["aud"], "chatkit");
}

#[test]
fn current_secret_signs() {
    let secrets = format!("2:{SECRET},1:an-older-secret-of-this-app-4711");
    let program = Program::new().set("BETTER_AUTH_SECRETS", &secrets);
    claims(&program.token("alice@example.com"), None);
}

#[test]
fn missing_secret_is_explained() {
    let output = Program::new().run(&["token", "--email", "alice@example.com"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.starts_with("error: `BETTER_AUTH_SECRET` is not set; set it to"),
        "{text}"
    );
}

#[test]
fn invalid_arguments_print_usage() {
    let program = Program::new();
    let help = program.run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let usage = String::from_utf8(help.stdout).unwrap();
    assert!(usage.contains("chatkit-server token --email"), "{usage}");

    for arguments in [
        &["--nonsense"][..],
        &["serve"],
        &["check", "all"],
        &["token"],
        &["token", "--email"],
        &["token", "--sub", "7"],
        &["token", "a@example.com"],
        &["token", "--email", "a", "--email", "b"],
    ] {
        let output = program.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        let prefix = format!("error: invalid arguments: {}\n", arguments.join(" "));
        assert!(text.starts_with(&prefix), "{text}");
        assert!(text.contains(usage.trim()), "{text}");
    }
}

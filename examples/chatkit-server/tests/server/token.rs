//! The command `token`, and the command line around it.

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
fn it_has_the_claims_that_the_server_asks_for() {
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
    let output = program.run(&["token", "--email=a@example.com", "--sub", "usr_alice"]);
    let token = String::from_utf8(output.stdout).unwrap();
    let token = claims(token.trim(), Some(issuer));
    assert_eq!(token["sub"], "usr_alice");
    assert_eq!(token["aud"], "chatkit");
}

#[test]
fn versioned_secrets_sign_with_the_current_one() {
    let secrets = format!("2:{SECRET},1:an-older-secret-of-this-app-4711");
    let program = Program::new().set("BETTER_AUTH_SECRETS", &secrets);
    claims(&program.token("alice@example.com"), None);
}

#[test]
fn without_a_secret_it_says_what_to_set() {
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
fn help_is_an_answer_and_nonsense_is_an_error() {
    let program = Program::new();
    let help = program.run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let usage = String::from_utf8(help.stdout).unwrap();
    assert!(usage.contains("chatkit-server token --email"), "{usage}");

    let nonsense = program.run(&["--nonsense"]);
    assert_eq!(nonsense.status.code(), Some(2));
    assert!(nonsense.stdout.is_empty());
    let text = String::from_utf8(nonsense.stderr).unwrap();
    assert!(
        text.starts_with("error: \"--nonsense\" is not an argument"),
        "{text}"
    );
    assert!(text.contains(usage.trim()), "{text}");
}

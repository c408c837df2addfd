//! The format of the credential and its signature.

use crate::prelude::*;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

const ADA: &str = "ada@example.com";

/// A valid token reaches the service.
pub async fn valid_token_is_accepted<S: UserStore>(store: S) {
    let app = App::new(store);
    app.accepts(&token_for(ADA), "good token", "usr_ada", "ses_ada").await;
    assert_eq!(app.calls(), 1);
}

/// RFC 6750 §3.1: no error code without a credential.
pub async fn missing_credential_is_challenged<S: UserStore>(store: S) {
    let app = App::new(store);
    app.rejects(HeaderMap::new(), "no header", MissingCredential).await;
    for other in ["Basic dXNlcjpwYXNz", "DPoP a.b.c"] {
        let headers = [(AUTHORIZATION, HeaderValue::from_static(other))];
        app.rejects(headers, other, MissingCredential).await;
    }
    assert_eq!(app.calls(), 0);
}

/// Malformed bearer credentials.
pub async fn malformed_bearer_is_rejected<S: UserStore>(store: S) {
    let app = App::new(store);
    let good = token_for(ADA);
    let values = [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer\t{good}"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {good} x"),
        format!("Bearer \"{good}\""),
        format!("Bearer {}", "a".repeat(9000)),
    ];
    for value in &values {
        let headers = [(AUTHORIZATION, HeaderValue::from_str(value).unwrap())];
        app.rejects(headers, value, InvalidCredential).await;
    }
    let mut twice = HeaderMap::new();
    twice.append(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {good}")).unwrap());
    twice.append(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {good}")).unwrap());
    app.rejects(twice, "twice", InvalidCredential).await;
    for raw in [&b"Bearer \xff\xfe"[..], b"\xc3\xbc"] {
        let headers = [(AUTHORIZATION, HeaderValue::from_bytes(raw).unwrap())];
        app.rejects(headers, "no ASCII", InvalidCredential).await;
    }
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let headers =
            [(AUTHORIZATION, HeaderValue::from_str(&format!("{scheme} {good}")).unwrap())];
        app.accepts(headers, scheme, "usr_ada", "ses_ada").await;
    }
}

/// Values that are no compact JWS.
pub async fn malformed_token_is_rejected<S: UserStore>(store: S) {
    let app = App::new(store);
    let good = token_for(ADA);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    let last = signature.chars().last().unwrap();
    // The last of 43 characters has four bits. The next letter differs in the two unused bits.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let cases = [
        ("garbage", "garbage".to_owned()),
        ("dots", "..".to_owned()),
        ("two parts", input.to_owned()),
        ("no signature", format!("{input}.")),
        ("four parts", format!("{good}.x")),
        ("five parts", format!("{good}.x.y")),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("padding", format!("{good}=")),
        ("bits that no encoder sets", format!("{input}.{}{next}", &signature[..42])),
        ("standard alphabet", format!("{input}.{}+", &signature[..42])),
        ("a user id", "0fOyRVonMqRyD20kP9Qi".to_owned()),
        ("a signed session token", format!("{}.{}=", "a".repeat(32), "A".repeat(43))),
    ];
    for (what, token) in cases {
        app.rejects(&token, what, InvalidCredential).await;
    }
}

/// Signatures of other secrets, and other algorithms.
pub async fn wrong_signature_is_rejected<S: UserStore>(store: S) {
    let app = App::new(store);
    let payload = claims(ADA).to_string();
    let good = token_for(ADA);
    let (input, _) = good.rsplit_once('.').unwrap();
    let other_payload = base64url(claims("edge@example.com").to_string());
    let mut cases = vec![
        (
            "another secret".to_owned(),
            sign_raw(HEADER, &payload, "another-secret-of-the-same-length..."),
        ),
        ("empty secret".to_owned(), sign_raw(HEADER, &payload, "")),
        (
            "the public default".to_owned(),
            sign_raw(HEADER, &payload, "better-auth-secret-12345678901234567890"),
        ),
        ("the secret decoded".to_owned(), sign_raw(HEADER, &payload, base64url(SECRET))),
        ("truncated signature".to_owned(), format!("{input}.{}", base64url([0; 16]))),
        ("another payload".to_owned(), {
            let mut parts: Vec<&str> = good.split('.').collect();
            parts[1] = &other_payload;
            parts.join(".")
        }),
    ];
    for alg in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS384", "HS512", "RS256", "PS256",
        "ES256", "ES512", "EdDSA", "Ed25519", "dir", "A256GCM", "HS256\0",
    ] {
        let header = json!({ "alg": alg, "typ": "JWT" }).to_string();
        cases.push((
            format!("alg {alg:?} with the secret's HMAC"),
            sign_raw(&header, &payload, SECRET),
        ));
        let unsigned = format!("{}.{}", base64url(&header), base64url(&payload));
        cases.push((format!("alg {alg:?} unsigned"), format!("{unsigned}.")));
        cases.push((format!("alg {alg:?} signed with a letter"), format!("{unsigned}.AA")));
    }
    for (what, token) in cases {
        app.rejects(&token, &what, InvalidCredential).await;
    }
}

/// `crit`, `b64`, `typ`, duplicate members and malformed headers are rejected. Other members are
/// ignored.
pub async fn odd_jose_headers_are_rejected<S: UserStore>(store: S) {
    let app = App::new(store);
    let payload = claims(ADA).to_string();
    for header in [
        r#"{"alg":"HS256","typ":"JWT","crit":["exp"]}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":[]}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":null}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","typ":"JWT","b64":true}"#,
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"logout+jwt"}"#,
        r#"{"alg":"HS256","typ":"better-auth.session-cache+jwt"}"#,
        r#"{"alg":"HS256","typ":""}"#,
        r#"{"alg":"HS256","typ":["JWT"]}"#,
        r#"{"alg":"HS256","alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"none","alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256","typ":"JWT"}"#,
        r#"{"alg":["HS256"],"typ":"JWT"}"#,
        r#"{"alg":{"HS256":1},"typ":"JWT"}"#,
        r#"{"typ":"JWT"}"#,
        r#"["HS256","JWT"]"#,
        r#""HS256""#,
        "null",
        "{}",
        "",
        r#"{"alg":"HS256","typ":"JWT"}{}"#,
        r#"{"alg":"HS256","typ":"JWT""#,
        r#"{"alg":"HS256","typ":"JWT","kid":{}}"#,
        "\u{feff}{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
    ] {
        app.rejects(&sign_raw(header, &payload, SECRET), header, InvalidCredential).await;
    }
    for header in [
        r#"{"alg":"HS256","typ":"jwt"}"#,
        r#" { "typ" : "JWT" , "alg" : "HS256" } "#,
        r#"{"alg":"HS256","typ":"JWT","kid":"../../etc/passwd","jku":"https://evil.example/jwks","x5u":"http://[::1]:9/"}"#,
        r#"{"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":"AA"}}"#,
    ] {
        app.accepts(&sign_raw(header, &payload, SECRET), header, "usr_ada", "ses_ada").await;
    }
    // Deep nesting is a parser error.
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
        let nest = format!("{}1{}", open.repeat(500), close.repeat(500));
        let deep = format!(r#"{{"alg":"HS256","typ":"JWT","x":{nest}}}"#);
        app.rejects(&sign_raw(&deep, &payload, SECRET), "deep header", InvalidCredential).await;
        let deep = format!(r#"{{"email":"{ADA}","exp":{},"x":{nest}}}"#, NOW + 60);
        app.rejects(&sign_raw(HEADER, deep, SECRET), "deep payload", InvalidCredential).await;
    }
    app.accepts(&sign(&claims(ADA)), "still there", "usr_ada", "ses_ada").await;
}

//! The claims policy.

use crate::prelude::*;
const ADA: &str = "ada@example.com";
const ISSUER: &str = "https://app.example.com";

async fn accepted(app: &App, changes: Value) {
    app.accepts(
        &sign(&claims_with(ADA, changes.clone())),
        &changes.to_string(),
        "usr_ada",
        "ses_ada",
    )
    .await;
}

async fn refused(app: &App, changes: Value) {
    app.rejects(&sign(&claims_with(ADA, changes.clone())), &changes.to_string(), InvalidCredential)
        .await;
}

async fn refused_payload(app: &App, payload: &str) {
    app.rejects(&sign_raw(HEADER, payload, SECRET), payload, InvalidCredential).await;
}

/// Expired, not yet valid, and valid times.
pub async fn times_are_exact_to_the_second<S: UserStore>(store: S) {
    let store = std::sync::Arc::new(store);
    let app = App::new(Arc::clone(&store));
    accepted(&app, json!({ "exp": NOW + 1 })).await;
    accepted(&app, json!({ "exp": NOW as f64 + 0.5 })).await;
    accepted(&app, json!({ "exp": 1e300 })).await;
    refused(&app, json!({ "exp": NOW })).await;
    refused(&app, json!({ "exp": NOW - 1 })).await;
    refused(&app, json!({ "exp": NOW as f64 - 0.5 })).await;
    refused(&app, json!({ "exp": 3600 })).await;
    refused(&app, json!({ "exp": 0 })).await;
    refused(&app, json!({ "exp": -1 })).await;
    refused(&app, json!({ "exp": -1e300 })).await;
    accepted(&app, json!({ "nbf": NOW })).await;
    accepted(&app, json!({ "nbf": NOW - 1 })).await;
    refused(&app, json!({ "nbf": NOW + 1 })).await;
    refused(&app, json!({ "nbf": 1e300 })).await;
    accepted(&app, json!({ "iat": NOW + 30 })).await;

    let lenient = App::of(builder(store).leeway(Duration::from_secs(5)));
    accepted(&lenient, json!({ "exp": NOW - 4 })).await;
    refused(&lenient, json!({ "exp": NOW - 5 })).await;
    accepted(&lenient, json!({ "nbf": NOW + 5 })).await;
    refused(&lenient, json!({ "nbf": NOW + 6 })).await;
}

/// CVE-2026-25537 and similar: a claim of the wrong type is not a missing claim.
pub async fn wrongly_typed_times_are_rejected<S: UserStore>(store: S) {
    let app = App::new(store);
    refused(&app, json!({ "exp": null })).await;
    for value in [json!("4102444800"), json!(true), json!([NOW + 60]), json!({}), json!("")] {
        refused(&app, json!({ "exp": value })).await;
        refused(&app, json!({ "nbf": value })).await;
        refused(&app, json!({ "iat": value })).await;
    }
    for literal in [
        "null",
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        "0x7fffffff",
        "1795434842abc",
        "01795434842",
        ".5",
    ] {
        refused_payload(&app, &format!(r#"{{"email":"{ADA}","exp":{literal}}}"#)).await;
        refused_payload(
            &app,
            &format!(r#"{{"email":"{ADA}","exp":{},"nbf":{literal}}}"#, NOW + 60),
        )
        .await;
    }
}

/// `iss`
pub async fn issuer_is_compared<S: UserStore>(store: S) {
    let store = std::sync::Arc::new(store);
    let app = App::of(builder(Arc::clone(&store)).issuer(ISSUER));
    accepted(&app, json!({ "iss": ISSUER })).await;
    refused(&app, json!({})).await;
    for issuer in [
        json!("https://app.example.com/"),
        json!("https://app.example.co"),
        json!("https://app.example.com.evil.example"),
        json!("HTTPS://APP.EXAMPLE.COM"),
        json!(""),
        json!([ISSUER]),
        json!(1),
        json!({ "iss": ISSUER }),
    ] {
        refused(&app, json!({ "iss": issuer })).await;
    }
    refused_payload(&app, &format!(r#"{{"email":"{ADA}","exp":{},"iss":null}}"#, NOW + 60)).await;
    refused_payload(
        &app,
        &format!(r#"{{"email":"{ADA}","exp":{},"iss":"x","iss":"{ISSUER}"}}"#, NOW + 60),
    )
    .await;

    let any = App::new(store);
    accepted(&any, json!({ "iss": "https://somebody-else.example" })).await;
    refused(&any, json!({ "iss": [ISSUER] })).await;
    refused(&any, json!({ "iss": 1 })).await;
}

/// `aud`
pub async fn audience_is_compared<S: UserStore>(store: S) {
    let store = std::sync::Arc::new(store);
    let shared = || Arc::clone(&store);

    // Without a configuration, an audience is never accepted.
    let none = App::new(shared());
    accepted(&none, json!({})).await;
    refused(&none, json!({ "aud": "chatkit" })).await;
    refused(&none, json!({ "aud": [] })).await;

    // The issuer is the default audience.
    let issuer = App::of(builder(shared()).issuer(ISSUER));
    accepted(&issuer, json!({ "iss": ISSUER })).await;
    accepted(&issuer, json!({ "iss": ISSUER, "aud": ISSUER })).await;
    accepted(&issuer, json!({ "iss": ISSUER, "aud": ["x", ISSUER] })).await;
    refused(&issuer, json!({ "iss": ISSUER, "aud": "chatkit" })).await;
    refused(&issuer, json!({ "iss": ISSUER, "aud": [] })).await;

    // Configured audiences replace the issuer.
    let audience =
        App::of(builder(shared()).issuer(ISSUER).audience("chatkit").audience("support"));
    accepted(&audience, json!({ "iss": ISSUER })).await;
    accepted(&audience, json!({ "iss": ISSUER, "aud": "chatkit" })).await;
    accepted(&audience, json!({ "iss": ISSUER, "aud": ["x", "support"] })).await;
    for aud in [
        json!(ISSUER),
        json!("chatki"),
        json!("chatkit2"),
        json!("CHATKIT"),
        json!(["x"]),
        json!(1),
        json!({}),
        json!([["chatkit"]]),
        json!(["chatkit", 1]),
        json!(""),
    ] {
        refused(&audience, json!({ "iss": ISSUER, "aud": aud })).await;
    }
    let payload = format!(r#"{{"email":"{ADA}","exp":{},"iss":"{ISSUER}","aud":null}}"#, NOW + 60);
    refused_payload(&audience, &payload).await;

    let required = App::of(builder(shared()).audience("chatkit").require_audience());
    accepted(&required, json!({ "aud": "chatkit" })).await;
    refused(&required, json!({})).await;
}

/// A token like that of a verification mail.
pub async fn unbound_token_is_rejected<S: UserStore>(store: S) {
    let store = std::sync::Arc::new(store);
    let app = App::new(Arc::clone(&store));
    let bare = r#"{"alg":"HS256"}"#;
    let send = async |app: &App, changes: Value| {
        app.send(&sign_raw(bare, claims_with(ADA, changes).to_string(), SECRET)).await
    };
    let answer = send(&app, json!({})).await;
    answer.assert_rejected("no binding", InvalidCredential);
    for empty in [json!({ "sub": "" }), json!({ "iss": "" })] {
        let answer = send(&app, empty.clone()).await;
        answer.assert_rejected(&empty.to_string(), InvalidCredential);
    }
    let answer = send(&app, json!({ "jti": "x", "userId": "usr_ada" })).await;
    answer.assert_rejected("members that mean nothing", InvalidCredential);
    for bound in [json!({ "sub": "usr_ada" }), json!({ "iss": "anybody" })] {
        send(&app, bound.clone()).await.assert_identity(&bound.to_string(), "usr_ada", "ses_ada");
    }
    let audience = App::of(builder(Arc::clone(&store)).audience("chatkit"));
    send(&audience, json!({ "aud": "chatkit" })).await.assert_identity("aud", "usr_ada", "ses_ada");
    app.accepts(&sign(&claims(ADA)), "typ", "usr_ada", "ses_ada").await;

    let loose = App::of(builder(store).dangerous_accept_unbound_tokens());
    send(&loose, json!({})).await.assert_identity("loosened", "usr_ada", "ses_ada");
    let answer = send(&loose, json!({ "updateTo": "eve@example.com" })).await;
    answer.assert_rejected("loosened, but an artefact", InvalidCredential);
}

/// Even with `typ`, issuer and subject.
pub async fn internal_tokens_are_rejected<S: UserStore>(store: S) {
    let app = App::of(builder(store).issuer(ISSUER));
    for marks in [
        json!({ "updateTo": "eve@example.com" }),
        json!({ "requestType": "change-email-verification" }),
        json!({ "updateTo": "eve@example.com", "requestType": "change-email-confirmation" }),
        json!({ "session": {}, "user": {}, "updatedAt": 1, "version": "1" }),
        json!({ "session": { "token": "x" } }),
    ] {
        let mut changes = marks.clone();
        changes["iss"] = json!(ISSUER);
        changes["sub"] = json!("usr_ada");
        refused(&app, changes).await;
    }
    // An application may have a claim of that name with another type.
    accepted(&app, json!({ "iss": ISSUER, "session": "ses_ada" })).await;
    let escaped =
        format!(r#"{{"email":"{ADA}","exp":{},"iss":"{ISSUER}","\u0075pdateTo":"x"}}"#, NOW + 60);
    refused_payload(&app, &escaped).await;
    let null =
        format!(r#"{{"email":"{ADA}","exp":{},"iss":"{ISSUER}","updateTo":null}}"#, NOW + 60);
    refused_payload(&app, &null).await;
}

/// RFC 7519 §4 and §7.2.
pub async fn malformed_claims_are_rejected<S: UserStore>(store: S) {
    let app = App::new(store);
    let end = NOW + 60;
    for payload in [
        String::new(),
        "null".to_owned(),
        "1".to_owned(),
        format!(r#"["{ADA}",{end}]"#),
        format!(r#"[{{"email":"{ADA}","exp":{end}}}]"#),
        format!(r#""email={ADA}&exp={end}""#),
        format!(r#"{{"email":"{ADA}","exp":{end}}}{{}}"#),
        format!(r#"{{"email":"{ADA}","exp":{end},}}"#),
        format!(r#"{{"email":"{ADA}","exp":{end}"#),
        format!(r#"{{'email':'{ADA}','exp':{end}}}"#),
        format!(r#"{{"email":"eve@example.com","email":"{ADA}","exp":{end}}}"#),
        format!(r#"{{"email":"{ADA}","\u0065mail":"{ADA}","exp":{end}}}"#),
        format!(r#"{{"email":"{ADA}","exp":1,"exp":{end}}}"#),
        format!(r#"{{"email":"{ADA}","exp":{end},"sub":"a","sub":"b"}}"#),
        format!(r#"{{"email":"{ADA}","exp":{end},"nbf":1,"nbf":2}}"#),
        format!("\u{feff}{{\"email\":\"{ADA}\",\"exp\":{end}}}"),
    ] {
        refused_payload(&app, &payload).await;
    }
    let mut not_utf8 = format!(r#"{{"email":"{ADA}","exp":{end},"x":""#).into_bytes();
    not_utf8.extend_from_slice(b"\xff\"}");
    app.rejects(&sign_raw(HEADER, not_utf8, SECRET), "not UTF-8", InvalidCredential).await;
}

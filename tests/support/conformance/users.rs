//! Which user a token is for.

use std::sync::Arc;

use better_auth_layer::{RejectionKind, UserStore};
use serde_json::json;

use crate::gate::{Gate, builder};
use crate::test_clock::NOW;
use crate::token::{HEADER, SECRET, claims_with, sign, sign_raw, token_for};

/// Not text, not there, empty, or with characters that no address has: a bad token, and never an error of a store.
pub async fn the_e_mail_address_must_be_one<S: UserStore>(store: S) {
    let gate = Gate::new(store);
    for email in [
        json!(null),
        json!(["ada@example.com"]),
        json!({ "email": "ada@example.com" }),
        json!(1),
        json!(true),
        json!(""),
        json!("ada@example.com\0"),
        json!("\0"),
        json!("ada@example.com\n"),
        json!("ada@exam\u{85}ple.com"),
    ] {
        let answer = gate
            .send(&sign(&claims_with("x", json!({ "email": email }))))
            .await;
        answer.assert_refused(&email.to_string(), RejectionKind::InvalidCredential);
    }
    let null = format!(r#"{{"email":null,"exp":{}}}"#, NOW + 60);
    let answer = gate.send(&sign_raw(HEADER, null, SECRET)).await;
    answer.assert_refused("null", RejectionKind::InvalidCredential);
}

/// Among them everything that a query might take for more than a text to compare.
pub async fn users_that_do_not_exist_are_not_found<S: UserStore>(store: S) {
    let gate = Gate::new(store);
    let long = format!("{}@example.com", "a".repeat(3000));
    for email in [
        "nobody@example.com",
        " ada@example.com",
        "ada@example.com ",
        "ada@example",
        "ada%",
        "_da@example.com",
        "' OR '1'='1",
        "ada@example.com'; DROP TABLE \"user\"; --",
        "ada@example.com\\",
        "{\"$ne\":null}",
        "*",
        "usr_ada",
        "аda@example.com", // the first letter is Cyrillic
        "ada@example.com\u{200b}",
        &long,
    ] {
        let answer = gate.send(&token_for(email)).await;
        answer.assert_refused(email, RejectionKind::UserNotFound);
    }
    gate.send(&token_for("ada@example.com"))
        .await
        .assert_identity("still there", "usr_ada", "ses_ada");
}

/// Better Auth stores lower case; where a table has both, the row as given wins.
pub async fn the_exact_spelling_of_an_address_wins<S: UserStore>(store: S) {
    let gate = Gate::new(store);
    for (email, user, session) in [
        ("Ada@Example.com", "usr_ada", "ses_ada"),
        ("ADA@EXAMPLE.COM", "usr_ada", "ses_ada"),
        ("Mixed.Case@Example.com", "usr_mixed", "ses_mixed"),
        ("mixed.case@example.com", "usr_lower", "ses_lower"),
        ("MIXED.case@example.com", "usr_lower", "ses_lower"),
    ] {
        gate.send(&token_for(email))
            .await
            .assert_identity(email, user, session);
    }
}

/// Letters beyond ASCII are neither folded nor normalized, and `%` is no wildcard.
pub async fn unicode_and_odd_addresses_are_compared_as_they_are<S: UserStore>(store: S) {
    let gate = Gate::new(store);
    let answer = gate.send(&token_for("jürgen+🦀@exämple.com")).await;
    answer.assert_identity("unicode", "usr_unicode", "ses_unicode");
    for other in [
        "JÜRGEN+🦀@EXÄMPLE.COM",
        "jurgen+🦀@example.com",
        "ju\u{308}rgen+🦀@exa\u{308}mple.com",
    ] {
        let answer = gate.send(&token_for(other)).await;
        answer.assert_refused(other, RejectionKind::UserNotFound);
    }
    let answer = gate.send(&token_for("%@example.com")).await;
    answer.assert_identity("percent", "usr_wildcard", "ses_wildcard");
    // The same address written with escapes in JSON.
    let escaped = format!(r#"{{"email":"\u0061da@example.com","exp":{}}}"#, NOW + 60);
    let answer = gate.send(&sign_raw(HEADER, escaped, SECRET)).await;
    answer.assert_identity("escaped", "usr_ada", "ses_ada");
}

/// The contract names the address alone.
pub async fn a_subject_is_compared_on_request_only<S: UserStore>(store: S) {
    let store = Arc::new(store);
    let gate = Gate::new(Arc::clone(&store));
    let strict = Gate::of(builder(store).require_matching_subject());
    let token = |sub: &str| sign(&claims_with("ada@example.com", json!({ "sub": sub })));
    for sub in ["usr_ada", "usr_edge", "ada@example.com", "somebody", ""] {
        gate.send(&token(sub))
            .await
            .assert_identity(sub, "usr_ada", "ses_ada");
    }
    strict
        .send(&token("usr_ada"))
        .await
        .assert_identity("matching", "usr_ada", "ses_ada");
    for sub in ["usr_edge", "ada@example.com", "somebody", "", "USR_ADA"] {
        let answer = strict.send(&token(sub)).await;
        answer.assert_refused(sub, RejectionKind::InvalidCredential);
    }
    let answer = strict.send(&token_for("ada@example.com")).await;
    answer.assert_refused("no subject", RejectionKind::InvalidCredential);
    for sub in [json!(1), json!(["usr_ada"]), json!(true)] {
        let answer = gate
            .send(&sign(&claims_with(
                "ada@example.com",
                json!({ "sub": sub }),
            )))
            .await;
        answer.assert_refused(&sub.to_string(), RejectionKind::InvalidCredential);
    }
}

/// `require_verified_email`
pub async fn an_unverified_address_is_refused_on_request_only<S: UserStore>(store: S) {
    let store = Arc::new(store);
    let gate = Gate::new(Arc::clone(&store));
    let strict = Gate::of(builder(store).require_verified_email());
    gate.send(&token_for("edge@example.com"))
        .await
        .assert_identity("unverified", "usr_edge", "ses_edge");
    strict
        .send(&token_for("ada@example.com"))
        .await
        .assert_identity("verified", "usr_ada", "ses_ada");
    let answer = strict.send(&token_for("edge@example.com")).await;
    answer.assert_refused("unverified", RejectionKind::InvalidCredential);
}

/// The ban of the admin plugin, to the second.
pub async fn banned_users_are_refused_while_the_ban_lasts<S: UserStore>(store: S) {
    let gate = Gate::new(store);
    for email in ["banned@example.com", "banned-still@example.com"] {
        gate.send(&token_for(email))
            .await
            .assert_refused(email, RejectionKind::UserBanned);
    }
    let answer = gate.send(&token_for("banned-before@example.com")).await;
    answer.assert_identity(
        "a ban that is over",
        "usr_banned_before",
        "ses_banned_before",
    );
}

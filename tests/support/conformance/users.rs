//! The user of a token.

use crate::prelude::*;
/// Malformed emails are invalid credentials, not store errors.
pub async fn email_must_be_valid<S: UserStore>(store: S) {
    let app = App::new(store);
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
        app.rejects(
            &sign(&claims_with("x", json!({ "email": email }))),
            &email.to_string(),
            InvalidCredential,
        )
        .await;
    }
    let null = format!(r#"{{"email":null,"exp":{}}}"#, NOW + 60);
    app.rejects(&sign_raw(HEADER, null, SECRET), "null", InvalidCredential).await;
}

/// Including texts with a special meaning in queries.
pub async fn unknown_users_are_not_found<S: UserStore>(store: S) {
    let app = App::new(store);
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
        app.rejects(&token_for(email), email, UserNotFound).await;
    }
    app.accepts(&token_for("ada@example.com"), "still there", "usr_ada", "ses_ada").await;
}

/// Better Auth stores lower case. If a table has both spellings, the exact one is used.
pub async fn exact_email_wins<S: UserStore>(store: S) {
    let app = App::new(store);
    for (email, user, session) in [
        ("Ada@Example.com", "usr_ada", "ses_ada"),
        ("ADA@EXAMPLE.COM", "usr_ada", "ses_ada"),
        ("Mixed.Case@Example.com", "usr_mixed", "ses_mixed"),
        ("mixed.case@example.com", "usr_lower", "ses_lower"),
        ("MIXED.case@example.com", "usr_lower", "ses_lower"),
    ] {
        app.accepts(&token_for(email), email, user, session).await;
    }
}

/// Letters beyond ASCII are neither folded nor normalized, and `%` is no wildcard.
pub async fn unicode_emails_are_not_folded<S: UserStore>(store: S) {
    let app = App::new(store);
    app.accepts(&token_for("jürgen+🦀@exämple.com"), "unicode", "usr_unicode", "ses_unicode").await;
    for other in
        ["JÜRGEN+🦀@EXÄMPLE.COM", "jurgen+🦀@example.com", "ju\u{308}rgen+🦀@exa\u{308}mple.com"]
    {
        app.rejects(&token_for(other), other, UserNotFound).await;
    }
    app.accepts(&token_for("%@example.com"), "percent", "usr_wildcard", "ses_wildcard").await;
    // The same email with JSON escapes.
    let escaped = format!(r#"{{"email":"\u0061da@example.com","exp":{}}}"#, NOW + 60);
    app.accepts(&sign_raw(HEADER, escaped, SECRET), "escaped", "usr_ada", "ses_ada").await;
}

/// By default only the email counts.
pub async fn subject_check_is_opt_in<S: UserStore>(store: S) {
    let store = Arc::new(store);
    let app = App::new(Arc::clone(&store));
    let strict = App::of(builder(store).require_matching_subject());
    let token = |sub: &str| sign(&claims_with("ada@example.com", json!({ "sub": sub })));
    for sub in ["usr_ada", "usr_edge", "ada@example.com", "somebody", ""] {
        app.accepts(&token(sub), sub, "usr_ada", "ses_ada").await;
    }
    strict.accepts(&token("usr_ada"), "matching", "usr_ada", "ses_ada").await;
    for sub in ["usr_edge", "ada@example.com", "somebody", "", "USR_ADA"] {
        strict.rejects(&token(sub), sub, InvalidCredential).await;
    }
    strict.rejects(&token_for("ada@example.com"), "no subject", InvalidCredential).await;
    for sub in [json!(1), json!(["usr_ada"]), json!(true)] {
        app.rejects(
            &sign(&claims_with("ada@example.com", json!({ "sub": sub }))),
            &sub.to_string(),
            InvalidCredential,
        )
        .await;
    }
}

/// `require_verified_email`
pub async fn verified_email_check_is_opt_in<S: UserStore>(store: S) {
    let store = Arc::new(store);
    let app = App::new(Arc::clone(&store));
    let strict = App::of(builder(store).require_verified_email());
    app.accepts(&token_for("edge@example.com"), "unverified", "usr_edge", "ses_edge").await;
    strict.accepts(&token_for("ada@example.com"), "verified", "usr_ada", "ses_ada").await;
    strict.rejects(&token_for("edge@example.com"), "unverified", InvalidCredential).await;
}

/// A ban of the admin plugin, with its exact end.
pub async fn banned_users_are_rejected<S: UserStore>(store: S) {
    let app = App::new(store);
    for email in ["banned@example.com", "banned-still@example.com"] {
        app.rejects(&token_for(email), email, UserBanned).await;
    }
    app.accepts(
        &token_for("banned-before@example.com"),
        "a ban that is over",
        "usr_banned_before",
        "ses_banned_before",
    )
    .await;
}

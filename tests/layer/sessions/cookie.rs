//! The session cookie in all forms, valid and invalid.

use super::fixtures::{
    COOKIE, Counting, TOKEN, app, cookie, headers, layer, percent_encoded, value,
};
use support::prelude::*;

const INVALID: RejectionKind = InvalidCredential;
const MISSING: RejectionKind = MissingCredential;

#[tokio::test]
async fn cookie_is_found_in_any_position() {
    let app = app();
    let (good, raw) = (cookie(), signed_session_token(TOKEN));
    for header in [
        good.clone(),
        format!("a=1; {good}"),
        format!("{good}; b=2"),
        format!("a=1;{good};b=2"),
        format!("a; ;=;{good};\tb=2"),
        format!("{COOKIE}={raw}"),
        format!("{COOKIE}=\"{}\"", value()),
        format!(" {COOKIE} = {} ", value()),
        format!("{good}; {good}"),
        format!("x=\"; {good}"),
        format!("{COOKIE}_multi-xn6dtguwabcdefghijklmnopqrstuvdc={}; {good}", value()),
        format!("{COOKIE}_multi-x=nonsense; better-auth.dont_remember=true.x; {good}"),
    ] {
        app.accepts(Cookie(&header), &header, "usr_ada", "ses_ada").await;
    }
    // HTTP/2 may split cookies into several headers.
    let crumbs = headers(&[("cookie", b"a=1"), ("cookie", good.as_bytes()), ("cookie", b"b=\xff")]);
    app.accepts(crumbs, "crumbs", "usr_ada", "ses_ada").await;
}

#[tokio::test]
async fn similar_cookies_are_ignored() {
    let app = app();
    let value = value();
    for header in [
        String::new(),
        COOKIE.to_owned(),
        format!("{COOKIE}="),
        format!("{COOKIE}=\"\""),
        format!("Better-Auth.session_token={value}"),
        format!("better-auth.session_data={value}"),
        format!("better-auth.session_token.0={value}"),
        format!("better-auth-session_token={value}"),
        format!("{COOKIE}_multi-x={value}"),
        format!("better-auth.admin_session={value}"),
        format!("better-auth.dont_remember={value}"),
        format!("$Version=1; ${COOKIE}={value}"),
        format!("x{COOKIE}={value}"),
        format!("__Host-{COOKIE}={value}"),
        format!("\u{a0}{COOKIE}={value}"),
        format!("\u{2000}{COOKIE}={value}"),
        format!("{COOKIE}\u{a0}={value}"),
        format!("{COOKIE},{COOKIE}={value}"),
        format!("better-auth%2Esession_token={value}"),
    ] {
        app.rejects(Cookie(&header), &header, MISSING).await;
    }
}

#[tokio::test]
async fn unsigned_cookie_costs_no_lookup() {
    let store = Counting::new();
    let app = App::of(builder(store.clone()));
    let signed = signed_session_token(TOKEN);
    let (_, signature) = signed.rsplit_once('.').unwrap();
    let jws = sign_raw(r#"{"alg":"HS256"}"#, r#"{"email":"ada@example.com"}"#, SECRET);
    let (input, _) = jws.rsplit_once('.').unwrap();
    for value in [
        TOKEN.to_owned(),
        format!("{TOKEN}."),
        format!(".{signature}"),
        format!("{TOKEN}.{}", signature.trim_end_matches('=')),
        format!("{TOKEN}.{signature}="),
        format!("{TOKEN}.{}", "A".repeat(43) + "="),
        format!("{TOKEN}.{}", "A".repeat(44)),
        format!("{TOKEN}.{}", signature.to_lowercase()),
        format!("{TOKEN}.{}", signature.chars().rev().collect::<String>()),
        format!("{}.{signature}", TOKEN.to_lowercase()),
        format!("{TOKEN}.{signature}.{signature}"),
        format!("{signature}.{TOKEN}"),
        percent_encoded(&percent_encoded(&signed)),
        signed_with(TOKEN, "another-secret-altogether"),
        signed_with(TOKEN, "better-auth-secret-12345678901234567890"),
        // A signed value that is no session token.
        signed_session_token("true"),
        signed_session_token(&format!("{TOKEN}:true")),
        signed_session_token(input),
        signed_session_token("usr_ada!trust-1"),
        signed_session_token("active-sessions-8mkG4ZgqR0tCYOOl"),
        signed_session_token(""),
        signed_session_token(&TOKEN[1..]),
        signed_session_token(&format!("{TOKEN}x")),
        signed_session_token("XN6DtGUWabcdefghijklmnopqrstuv'-"),
        signed_session_token(&"a".repeat(100_000)),
        jws.clone(),
        format!("{TOKEN}.{signature}\u{0}").replace('\u{0}', "%00"),
        format!("%00{signed}"),
        format!("{signed}%FF"),
        format!("{signed}%"),
    ] {
        app.rejects(Cookie(&format!("{COOKIE}={value}")), &value, INVALID).await;
    }
    assert_eq!(store.count(), 0);
    // A well-formed token is looked up and not found.
    let other = signed_session_token(&TOKEN.replace('X', "Y"));
    app.rejects(Cookie(&format!("{COOKIE}={other}")), "nobody's", INVALID).await;
    assert_eq!(store.count(), 1);
}

#[tokio::test]
async fn duplicate_cookies_are_rejected() {
    let app = app();
    let good = cookie();
    for header in [
        format!("{good}; {COOKIE}=x"),
        format!("{COOKIE}=x; {good}"),
        format!("{good}; {COOKIE}="),
        format!("{good}; {COOKIE}={}", signed_session_token(TOKEN)),
    ] {
        app.rejects(Cookie(&header), &header, INVALID).await;
    }
    let across =
        headers(&[("cookie", good.as_bytes()), ("cookie", b"better-auth.session_token=x")]);
    app.rejects(across, "in two headers", INVALID).await;
}

#[tokio::test]
async fn arbitrary_bytes_are_rejected() {
    let app = app();
    for value in [
        b"better-auth.session_token=\xff\xfe".as_slice(),
        b"better-auth.session_token=\xc3\x28.x",
        b"better-auth.session_token=\xf0\x9f\xa6\x80",
    ] {
        app.rejects(headers(&[("cookie", value)]), "odd bytes", INVALID).await;
    }
    app.rejects(headers(&[("authorization", b"Bearer \xff")]), "odd bytes", INVALID).await;
}

#[tokio::test]
async fn prefix_follows_the_base_url() {
    let (plain, secure) = (cookie(), format!("__Secure-{}", cookie()));
    let app = |url: Option<&str>, said: Option<bool>| {
        let mut builder = layer();
        if let Some(url) = url {
            builder = builder.base_url(url);
        }
        if let Some(said) = said {
            builder = builder.secure_cookies(said);
        }
        App::of(builder)
    };
    let (https, http) = (Some("https://app.example.com"), Some("http://localhost:3000"));
    for (url, said, plain_passes, secure_passes) in [
        (https, None, false, true),
        (http, None, true, false),
        (None, None, true, true),
        (https, Some(false), true, false),
        (http, Some(true), false, true),
        (None, Some(true), false, true),
    ] {
        let app = app(url, said);
        let status = |passes: bool| if passes { 200 } else { 401 };
        let what = format!("{url:?} {said:?}");
        assert_eq!(app.send(Cookie(&plain)).await.status, status(plain_passes), "{what}");
        assert_eq!(app.send(Cookie(&secure)).await.status, status(secure_passes), "{what}");
    }
    // If both names are allowed, a planted cookie without the prefix is ignored.
    let planted = format!("{COOKIE}=planted; {secure}");
    let answer = app(None, None).send(Cookie(&planted)).await;
    answer.assert_identity("the prefixed one", "usr_ada", "ses_ada");
    let planted = format!("{plain}; __Secure-{COOKIE}=bad");
    let answer = app(None, None).send(Cookie(&planted)).await;
    answer.assert_rejected("an invalid prefixed cookie is final", INVALID);
}

#[tokio::test]
async fn cookie_names_are_configurable() {
    let value = value();
    let prefixed = App::of(layer().cookie_prefix("my-app"));
    prefixed
        .accepts(Cookie(&format!("my-app.session_token={value}")), "a prefix", "usr_ada", "ses_ada")
        .await;
    prefixed.rejects(Cookie(&cookie()), "the usual name", MISSING).await;

    let named = App::of(layer().cookie_prefix("my-app").session_cookie_name("sid"));
    named.accepts(Cookie(&format!("sid={value}")), "a name", "usr_ada", "ses_ada").await;
    named
        .rejects(
            Cookie(&format!("my-app.session_token={value}")),
            "the prefix does not count then",
            MISSING,
        )
        .await;
}

#[tokio::test]
async fn previous_secrets_are_opt_in() {
    let ring = || {
        let current = Secret::new("the-new-secret-of-the-deployment").unwrap();
        SecretRing::new(current).with_previous(Secret::new(SECRET).unwrap())
    };
    let old = App::of(layer().secrets(ring()));
    old.rejects(Cookie(&cookie()), "an old secret", INVALID).await;
    let lenient = App::of(layer().secrets(ring()).accept_previous_secrets());
    lenient.accepts(Cookie(&cookie()), "on request", "usr_ada", "ses_ada").await;
}

#[tokio::test]
async fn token_format_is_configurable() {
    let store = Counting::new();
    let token = "usr-session_1";
    let session = Session::new("ses_2", "usr_ada", Timestamp::MAX);
    let session = session.with_token(better_auth_layer::SessionToken::new(token));
    store.store().insert_session(session);
    let value = format!("{COOKIE}={}", signed_session_token(token));
    let usual = App::of(builder(store.clone()));
    usual.rejects(Cookie(&value), "another form", INVALID).await;
    let own = App::of(builder(store).session_token_validator(|token| token.starts_with("usr-")));
    own.accepts(Cookie(&value), "its own form", "usr_ada", "ses_2").await;
    own.rejects(Cookie(&cookie()), "the usual form", INVALID).await;
}

#[tokio::test]
async fn log_names_the_reason() {
    let (log, _guard) = CapturedLog::start();
    let app = app();
    for (header, reason) in [
        (format!("{COOKIE}=x"), "signed_session_token_malformed"),
        (
            format!("{COOKIE}={}", signed_with(TOKEN, "another-secret-altogether")),
            "signature_mismatch",
        ),
        (format!("{COOKIE}={}", signed_session_token("true")), "session_token_malformed"),
        (
            format!("{COOKIE}={}", signed_session_token(&TOKEN.replace('X', "Y"))),
            "session_token_unknown",
        ),
        (format!("{COOKIE}=a; {COOKIE}=b"), "several_cookies"),
    ] {
        log.take();
        app.rejects(Cookie(&header), &header, INVALID).await;
        let text = log.take();
        assert!(text.contains(&format!("reason={reason}")), "{reason}: {text}");
    }
}

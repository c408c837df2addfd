//! The session cookie, as it is and as it is not.

use better_auth_layer::{RejectionKind, Secret, SecretRing};
use support::captured_log::CapturedLog;
use support::gate::{Gate, builder};
use support::token::{SECRET, sign_raw, signed_session_token, signed_with};

use super::world::{COOKIE, Counting, TOKEN, cookie, gate, headers, layer, percent_encoded, value};

const INVALID: RejectionKind = RejectionKind::InvalidCredential;
const MISSING: RejectionKind = RejectionKind::MissingCredential;

#[tokio::test]
async fn a_good_cookie_is_found_wherever_it_stands() {
    let gate = gate();
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
        format!(
            "{COOKIE}_multi-xn6dtguwabcdefghijklmnopqrstuvdc={}; {good}",
            value()
        ),
        format!("{COOKIE}_multi-x=nonsense; better-auth.dont_remember=true.x; {good}"),
    ] {
        let answer = gate.send_cookie(&header).await;
        answer.assert_identity(&header, "usr_ada", "ses_ada");
    }
    // HTTP/2 may send every cookie in a header of its own.
    let crumbs = headers(&[
        ("cookie", b"a=1"),
        ("cookie", good.as_bytes()),
        ("cookie", b"b=\xff"),
    ]);
    let answer = gate.send_headers(crumbs).await;
    answer.assert_identity("crumbs", "usr_ada", "ses_ada");
}

#[tokio::test]
async fn what_only_looks_like_the_cookie_is_no_credential() {
    let gate = gate();
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
        let answer = gate.send_cookie(&header).await;
        answer.assert_refused(&header, MISSING);
    }
}

#[tokio::test]
async fn a_cookie_that_is_not_signed_as_better_auth_signs_is_refused_without_a_lookup() {
    let store = Counting::new();
    let gate = Gate::of(builder(store.clone()));
    let signed = signed_session_token(TOKEN);
    let (_, signature) = signed.rsplit_once('.').unwrap();
    let jws = sign_raw(
        r#"{"alg":"HS256"}"#,
        r#"{"email":"ada@example.com"}"#,
        SECRET,
    );
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
        // Signed by Better Auth, and for something else.
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
        let answer = gate.send_cookie(&format!("{COOKIE}={value}")).await;
        answer.assert_refused(&value, INVALID);
    }
    assert_eq!(store.count(), 0);
    // What has the form of a token is asked for, and found to be nobody's.
    let other = signed_session_token(&TOKEN.replace('X', "Y"));
    let answer = gate.send_cookie(&format!("{COOKIE}={other}")).await;
    answer.assert_refused("nobody's", INVALID);
    assert_eq!(store.count(), 1);
}

#[tokio::test]
async fn two_values_of_one_cookie_are_refused() {
    let gate = gate();
    let good = cookie();
    for header in [
        format!("{good}; {COOKIE}=x"),
        format!("{COOKIE}=x; {good}"),
        format!("{good}; {COOKIE}="),
        format!("{good}; {COOKIE}={}", signed_session_token(TOKEN)),
    ] {
        let answer = gate.send_cookie(&header).await;
        answer.assert_refused(&header, INVALID);
    }
    let across = headers(&[
        ("cookie", good.as_bytes()),
        ("cookie", b"better-auth.session_token=x"),
    ]);
    let answer = gate.send_headers(across).await;
    answer.assert_refused("in two headers", INVALID);
}

#[tokio::test]
async fn bytes_of_any_kind_are_refused_and_no_error_of_ours() {
    let gate = gate();
    for value in [
        b"better-auth.session_token=\xff\xfe".as_slice(),
        b"better-auth.session_token=\xc3\x28.x",
        b"better-auth.session_token=\xf0\x9f\xa6\x80",
    ] {
        let answer = gate.send_headers(headers(&[("cookie", value)])).await;
        answer.assert_refused("odd bytes", INVALID);
    }
    let token = gate
        .send_headers(headers(&[("authorization", b"Bearer \xff")]))
        .await;
    token.assert_refused("odd bytes", INVALID);
}

#[tokio::test]
async fn the_prefix_follows_from_the_deployments_address() {
    let (plain, secure) = (cookie(), format!("__Secure-{}", cookie()));
    let gate = |url: Option<&str>, said: Option<bool>| {
        let mut builder = layer();
        if let Some(url) = url {
            builder = builder.base_url(url);
        }
        if let Some(said) = said {
            builder = builder.secure_cookies(said);
        }
        Gate::of(builder)
    };
    let (https, http) = (
        Some("https://app.example.com"),
        Some("http://localhost:3000"),
    );
    for (url, said, plain_passes, secure_passes) in [
        (https, None, false, true),
        (http, None, true, false),
        (None, None, true, true),
        (https, Some(false), true, false),
        (http, Some(true), false, true),
        (None, Some(true), false, true),
    ] {
        let gate = gate(url, said);
        let status = |passes: bool| if passes { 200 } else { 401 };
        let what = format!("{url:?} {said:?}");
        assert_eq!(
            gate.send_cookie(&plain).await.status,
            status(plain_passes),
            "{what}"
        );
        assert_eq!(
            gate.send_cookie(&secure).await.status,
            status(secure_passes),
            "{what}"
        );
    }
    // Where both count, a planted plain one is not looked at.
    let planted = format!("{COOKIE}=planted; {secure}");
    let answer = gate(None, None).send_cookie(&planted).await;
    answer.assert_identity("the prefixed one", "usr_ada", "ses_ada");
    let planted = format!("{plain}; __Secure-{COOKIE}=bad");
    let answer = gate(None, None).send_cookie(&planted).await;
    answer.assert_refused("a bad prefixed one is final", INVALID);
}

#[tokio::test]
async fn names_are_those_that_were_configured() {
    let value = value();
    let prefixed = Gate::of(layer().cookie_prefix("my-app"));
    let answer = prefixed
        .send_cookie(&format!("my-app.session_token={value}"))
        .await;
    answer.assert_identity("a prefix", "usr_ada", "ses_ada");
    prefixed
        .send_cookie(&cookie())
        .await
        .assert_refused("the usual name", MISSING);

    let named = Gate::of(layer().cookie_prefix("my-app").session_cookie_name("sid"));
    let answer = named.send_cookie(&format!("sid={value}")).await;
    answer.assert_identity("a name", "usr_ada", "ses_ada");
    let answer = named
        .send_cookie(&format!("my-app.session_token={value}"))
        .await;
    answer.assert_refused("the prefix does not count then", MISSING);
}

#[tokio::test]
async fn old_secrets_count_only_where_it_was_said_so() {
    let ring = || {
        let current = Secret::new("the-new-secret-of-the-deployment").unwrap();
        SecretRing::new(current).with_previous(Secret::new(SECRET).unwrap())
    };
    let old = Gate::of(layer().secrets(ring()));
    old.send_cookie(&cookie())
        .await
        .assert_refused("an old secret", INVALID);
    let lenient = Gate::of(layer().secrets(ring()).accept_previous_secrets());
    let answer = lenient.send_cookie(&cookie()).await;
    answer.assert_identity("on request", "usr_ada", "ses_ada");
}

#[tokio::test]
async fn tokens_of_another_form_are_accepted_on_request() {
    let store = Counting::new();
    let token = "usr-session_1";
    let session =
        better_auth_layer::Session::new("ses_2", "usr_ada", better_auth_layer::Timestamp::MAX);
    let session = session.with_token(better_auth_layer::SessionToken::new(token));
    store.store().insert_session(session);
    let value = format!("{COOKIE}={}", signed_session_token(token));
    let usual = Gate::of(builder(store.clone()));
    usual
        .send_cookie(&value)
        .await
        .assert_refused("another form", INVALID);
    let own = Gate::of(builder(store).session_token_validator(|token| token.starts_with("usr-")));
    let answer = own.send_cookie(&value).await;
    answer.assert_identity("its own form", "usr_ada", "ses_2");
    own.send_cookie(&cookie())
        .await
        .assert_refused("the usual form", INVALID);
}

#[tokio::test]
async fn the_log_says_what_was_wrong() {
    let (log, _guard) = CapturedLog::start();
    let gate = gate();
    for (header, reason) in [
        (format!("{COOKIE}=x"), "signed_session_token_malformed"),
        (
            format!(
                "{COOKIE}={}",
                signed_with(TOKEN, "another-secret-altogether")
            ),
            "signature_mismatch",
        ),
        (
            format!("{COOKIE}={}", signed_session_token("true")),
            "session_token_malformed",
        ),
        (
            format!(
                "{COOKIE}={}",
                signed_session_token(&TOKEN.replace('X', "Y"))
            ),
            "session_token_unknown",
        ),
        (format!("{COOKIE}=a; {COOKIE}=b"), "several_cookies"),
    ] {
        log.take();
        gate.send_cookie(&header)
            .await
            .assert_refused(&header, INVALID);
        let text = log.take();
        assert!(
            text.contains(&format!("reason={reason}")),
            "{reason}: {text}"
        );
    }
}

//! No secret in logs, `Debug` output and errors.

use std::fmt::Debug;
use support::prelude::*;

use support::conformance;

/// The secret, all emails of the fixtures, and the beginnings of tokens.
fn forbidden() -> Vec<String> {
    let mut forbidden: Vec<String> =
        fixtures::users().iter().map(|person| person.email.to_owned()).collect();
    forbidden.push("@example.com".to_owned());
    forbidden.push("@ex".to_owned());
    forbidden.push(SECRET.to_owned());
    // The encoded usual header is the beginning of every signed test token.
    forbidden.push(support::token::base64url(HEADER));
    forbidden.push("eyJ".to_owned());
    forbidden
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in forbidden() {
        if let Some(position) = text.find(&secret) {
            let around: String =
                text.chars().skip(position.saturating_sub(200)).take(500).collect();
            panic!("{what}: {secret:?} is seen in: {around}");
        }
    }
}

/// Runs the conformance suite for a store, and captures our events and those that drivers send to
/// the `log` crate.
macro_rules! table_leaves_no_secret {
    ($($name:ident => $store:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            use conformance::Keep;
            // The process has one logger, which forwards to the capture of the current thread.
            let _ = tracing_log::LogTracer::init();
            let (log, _guard) = CapturedLog::start();
            let (store, _keep) = $store.split();
            // The fixtures were written through the same drivers.
            log.take();
            let store = std::sync::Arc::new(store);
            let shared = || Arc::clone(&store);
            conformance::valid_token_is_accepted(shared()).await;
            conformance::malformed_bearer_is_rejected(shared()).await;
            conformance::malformed_token_is_rejected(shared()).await;
            conformance::wrong_signature_is_rejected(shared()).await;
            conformance::odd_jose_headers_are_rejected(shared()).await;
            conformance::times_are_exact_to_the_second(shared()).await;
            conformance::issuer_is_compared(shared()).await;
            conformance::audience_is_compared(shared()).await;
            conformance::unbound_token_is_rejected(shared()).await;
            conformance::internal_tokens_are_rejected(shared()).await;
            conformance::malformed_claims_are_rejected(shared()).await;
            conformance::email_must_be_valid(shared()).await;
            conformance::unknown_users_are_not_found(shared()).await;
            conformance::exact_email_wins(shared()).await;
            conformance::subject_check_is_opt_in(shared()).await;
            conformance::verified_email_check_is_opt_in(shared()).await;
            conformance::banned_users_are_rejected(shared()).await;
            conformance::active_session_is_required(shared()).await;
            conformance::preferred_session_is_chosen(shared()).await;
            conformance::session_id_claim_is_binding(shared()).await;
            conformance::all_lookup_kinds_are_resolved(shared()).await;
            let text = log.text();
            assert!(text.lines().count() > 200, "{}", text.lines().count());
            assert!(text.contains("authenticated") && text.contains("usr_ada"), "{text}");
            assert_clean(stringify!($name), &text);
        }
    )*};
}

table_leaves_no_secret! {
    memory_logs_no_secret => fixtures::memory();
    sqlite_logs_no_secret => fixtures::sqlite();
    postgres_logs_no_secret => fixtures::postgres().await;
}

#[tokio::test]
async fn store_errors_log_no_key() {
    let (log, _guard) = CapturedLog::start();
    let app = App::new(store_fn(|_| async {
        Err(StoreError::new(StoreErrorKind::Unavailable, "connection refused"))
    }));
    app.rejects(&token_for("ada@example.com"), "down", Unavailable).await;
    let panicking = App::new(store_fn(|lookup: Lookup<'static>| async move {
        let LookupKey::Email(email) = lookup.key() else { unreachable!() };
        panic!("a message that quotes {}", email.as_str())
    }));
    panicking.rejects(&token_for("ada@example.com"), "panic", Unavailable).await;
    let text = log.text();
    assert!(
        text.contains("connection refused") && text.contains("the user store panicked"),
        "{text}"
    );
    assert_clean("failing store", &text);
}

#[tokio::test]
async fn debug_shows_no_secret() {
    fn check(what: &str, value: &impl Debug) {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert_clean(what, &text);
            assert!(!text.contains("session-token-of"), "{what}: {text}");
            assert!(!text.contains("hunter2"), "{what}: {text}");
            assert!(!text.is_empty(), "{what} shows that it is there");
        }
    }
    let now = at(support::test_clock::NOW);
    let token = SessionToken::new("session-token-of-somebody");
    let secret = Secret::new(SECRET).unwrap();
    let user = User::new("usr_ada", "ada@example.com").with_name("ada@example.com").with_role("r");
    let session = Session::new("ses", "usr_ada", now).with_token(token.clone());
    check("Secret", &secret);
    check("SecretRing", &SecretRing::new(secret.clone()).with_previous(secret));
    check("SessionToken", &token);
    check("User", &user);
    check("Session", &session);
    check("Resolution", &Resolution::found(user, session));
    check("Lookup", &Lookup::by_email("ada@example.com", now).with_session_id("x"));
    check("LookupKey", Lookup::by_session_token(&token, now).key());
    check("EmailKey", &EmailKey::new("ada@example.com"));
    check("MemoryStore", &fixtures::memory());
    let (sqlite, _folder) = fixtures::sqlite();
    check("SqliteStore", &sqlite);
    let url = "postgres://hunter2:hunter2@hunter2.example/hunter2?sslmode=disable";
    let postgres = PostgresStore::builder(url);
    check("PostgresStoreBuilder", &postgres);
    check("PostgresStore", &postgres.build().unwrap());

    let environment: Env =
        [("DATABASE_URL", url), ("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_ISSUER", "issuer")]
            .into_iter()
            .collect();
    check("Env", &environment);
    let settings = Config::from_env(&environment).unwrap();
    check("Config", &settings);
    check("builder", &settings.builder());
    check("builder with store", &builder(fixtures::memory()));
    let layer: BetterAuthLayer = builder(fixtures::memory()).build().unwrap();
    check("layer", &layer);
    check("Authenticator", layer.authenticator());
    let request = http::Request::get("/")
        .header("authorization", format!("Bearer {}", token_for("ada@example.com")));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let authenticate = layer.authenticator().authenticate(&parts);
    check("Authenticate", &authenticate);
    check("Identity", &authenticate.await.unwrap());
    let (mut parts, ()) = http::Request::get("/").body(()).unwrap().into_parts();
    let forged =
        sign_raw(HEADER, claims("ada@example.com").to_string(), "another-secret-altogether");
    parts.headers.insert("authorization", format!("Bearer {forged}").parse().unwrap());
    let rejection = layer.authenticator().authenticate(&parts).await.unwrap_err();
    check("Rejection", &rejection);
    assert_eq!(rejection.to_string(), "Invalid or expired JWT token");
}

/// Configuration errors are read by operators and written to logs.
#[test]
fn config_errors_quote_no_value() {
    for (name, value) in [
        ("BETTER_AUTH_SECRET", "hunter2"),
        ("BETTER_AUTH_SECRETS", "1:hunter2"),
        ("BETTER_AUTH_SECRETS", "hunter2"),
        ("BETTER_AUTH_SECRETS", "1:hunter2-hunter2-hunter2,1:hunter2-hunter2-hunter2"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "hunter2://x"),
        ("BETTER_AUTH_USER_TABLE", "hunter2\""),
        ("BETTER_AUTH_SCHEMA", "hunter2"),
    ] {
        let environment: Env = [(name, value)].into_iter().collect();
        let error = Config::from_env(&environment).unwrap_err();
        assert_eq!(error.setting(), name);
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{name}: {text}");
        assert!(error.to_string().contains("; "), "says what to do: {error}");
    }
}

/// The trait does not require `Debug` of a store.
#[tokio::test]
async fn store_needs_no_debug() {
    struct Silent;
    impl UserStore for Silent {
        async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
            Err(StoreError::timeout())
        }
    }
    assert!(format!("{:?}", builder(Silent).build().unwrap()).starts_with("BetterAuthLayer"));
}

//! Nothing secret in logs, `Debug` and errors, whatever happens.

use std::fmt::Debug;

use better_auth_layer::clock::Timestamp;
use better_auth_layer::config::{Env, SecretRing};
use better_auth_layer::store::{StoreErrorKind, store_fn};
use better_auth_layer::{
    BetterAuthLayer, Config, Lookup, RejectionKind, Secret, Session, SessionToken, StoreError,
    User, UserStore,
};
use support::captured_log::CapturedLog;
use support::conformance;
use support::gate::{Gate, builder};
use support::token::{HEADER, SECRET, claims, sign_raw, token_for};
use support::world;

/// What must never be seen: the secret, every address of the world, parts of tokens, names.
fn forbidden() -> Vec<String> {
    let mut forbidden: Vec<String> = world::people()
        .iter()
        .map(|person| person.email.to_owned())
        .collect();
    forbidden.push("@example.com".to_owned());
    forbidden.push("@ex".to_owned());
    forbidden.push(SECRET.to_owned());
    // The usual header, encoded: the beginning of every token that the tests sign.
    forbidden.push(support::token::base64url(HEADER));
    forbidden.push("eyJ".to_owned());
    forbidden
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in forbidden() {
        if let Some(position) = text.find(&secret) {
            let around: String = text
                .chars()
                .skip(position.saturating_sub(200))
                .take(500)
                .collect();
            panic!("{what}: {secret:?} is seen in: {around}");
        }
    }
}

/// Runs the contract's table for every store with everything captured: our own events, and what the drivers under us
/// give to the `log` crate.
macro_rules! table_leaves_no_secret {
    ($($name:ident => $store:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            use conformance::Keep;
            // The same one for all tests; it hands on to the capture of the thread it is called on.
            let _ = tracing_log::LogTracer::init();
            let (log, _guard) = CapturedLog::start();
            let (store, _keep) = $store.split();
            // The test's own rows were written through the same drivers.
            log.take();
            let store = std::sync::Arc::new(store);
            let shared = || std::sync::Arc::clone(&store);
            conformance::a_good_token_reaches_the_service(shared()).await;
            conformance::an_authorization_that_is_no_bearer_token_is_refused(shared()).await;
            conformance::a_token_of_the_wrong_form_is_refused(shared()).await;
            conformance::a_token_signed_otherwise_is_refused(shared()).await;
            conformance::headers_that_ask_for_another_treatment_are_refused(shared()).await;
            conformance::times_decide_to_the_second(shared()).await;
            conformance::the_issuer_is_compared_where_one_is_configured(shared()).await;
            conformance::the_audience_is_compared_where_the_token_names_one(shared()).await;
            conformance::a_token_without_any_binding_is_refused(shared()).await;
            conformance::better_auths_own_tokens_are_refused(shared()).await;
            conformance::claims_sets_that_are_no_plain_object_are_refused(shared()).await;
            conformance::the_e_mail_address_must_be_one(shared()).await;
            conformance::users_that_do_not_exist_are_not_found(shared()).await;
            conformance::the_exact_spelling_of_an_address_wins(shared()).await;
            conformance::a_subject_is_compared_on_request_only(shared()).await;
            conformance::an_unverified_address_is_refused_on_request_only(shared()).await;
            conformance::banned_users_are_refused_while_the_ban_lasts(shared()).await;
            conformance::users_without_an_active_session_are_refused(shared()).await;
            conformance::the_preferred_of_several_sessions_is_taken(shared()).await;
            conformance::a_token_that_names_a_session_gets_that_one_or_none(shared()).await;
            conformance::every_kind_of_lookup_is_answered(shared()).await;
            let text = log.text();
            assert!(text.lines().count() > 200, "{}", text.lines().count());
            assert!(text.contains("authenticated") && text.contains("usr_ada"), "{text}");
            assert_clean(stringify!($name), &text);
        }
    )*};
}

table_leaves_no_secret! {
    the_table_over_memory_logs_no_secret => world::memory();
    the_table_over_sqlite_logs_no_secret => world::sqlite();
    the_table_over_postgres_logs_no_secret => world::postgres().await;
}

#[tokio::test]
async fn a_failing_store_logs_its_kind_and_cause_and_no_key() {
    let (log, _guard) = CapturedLog::start();
    let gate = Gate::new(store_fn(|_| async {
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "connection refused",
        ))
    }));
    let answer = gate.send(&token_for("ada@example.com")).await;
    answer.assert_refused("down", RejectionKind::Unavailable);
    let panicking = Gate::new(store_fn(|lookup: Lookup<'static>| async move {
        let better_auth_layer::store::LookupKey::Email(email) = lookup.key() else {
            unreachable!()
        };
        panic!("a message that quotes {}", email.as_str())
    }));
    let answer = panicking.send(&token_for("ada@example.com")).await;
    answer.assert_refused("panic", RejectionKind::Unavailable);
    let text = log.text();
    assert!(
        text.contains("connection refused") && text.contains("the user store panicked"),
        "{text}"
    );
    assert_clean("failing store", &text);
}

#[tokio::test]
async fn debug_of_everything_that_holds_a_secret_shows_none() {
    fn check(what: &str, value: &impl Debug) {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert_clean(what, &text);
            assert!(!text.contains("session-token-of"), "{what}: {text}");
            assert!(!text.contains("hunter2"), "{what}: {text}");
            assert!(!text.is_empty(), "{what} shows that it is there");
        }
    }
    let now = Timestamp::from_unix_seconds(support::test_clock::NOW);
    let token = SessionToken::new("session-token-of-somebody");
    let secret = Secret::new(SECRET).unwrap();
    let user = User::new("usr_ada", "ada@example.com")
        .with_name("ada@example.com")
        .with_role("r");
    let session = Session::new("ses", "usr_ada", now).with_token(token.clone());
    check("Secret", &secret);
    check(
        "SecretRing",
        &SecretRing::new(secret.clone()).with_previous(secret),
    );
    check("SessionToken", &token);
    check("User", &user);
    check("Session", &session);
    check(
        "Resolution",
        &better_auth_layer::Resolution::found(user, session),
    );
    check(
        "Lookup",
        &Lookup::by_email("ada@example.com", now).with_session_id("x"),
    );
    check("LookupKey", Lookup::by_session_token(&token, now).key());
    check(
        "EmailKey",
        &better_auth_layer::store::EmailKey::new("ada@example.com"),
    );
    check("MemoryStore", &world::memory());
    let (sqlite, _folder) = world::sqlite();
    check("SqliteStore", &sqlite);
    let url = "postgres://hunter2:hunter2@hunter2.example/hunter2?sslmode=disable";
    let postgres = better_auth_layer::postgres::PostgresStore::builder(url);
    check("PostgresStoreBuilder", &postgres);
    check("PostgresStore", &postgres.build().unwrap());
    let environment: Env = [
        ("DATABASE_URL", url),
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_ISSUER", "issuer"),
    ]
    .into_iter()
    .collect();
    check("Env", &environment);
    let settings = Config::from_env(&environment).unwrap();
    check("Config", &settings);
    check("builder", &settings.builder());
    check("builder with store", &builder(world::memory()));
    let layer: BetterAuthLayer = builder(world::memory()).build().unwrap();
    check("layer", &layer);
    check("Authenticator", layer.authenticator());
    let request = http::Request::get("/").header(
        "authorization",
        format!("Bearer {}", token_for("ada@example.com")),
    );
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let authenticate = layer.authenticator().authenticate(&parts);
    check("Authenticate", &authenticate);
    check("Identity", &authenticate.await.unwrap());
    let (mut parts, ()) = http::Request::get("/").body(()).unwrap().into_parts();
    let forged = sign_raw(
        HEADER,
        claims("ada@example.com").to_string(),
        "another-secret-altogether",
    );
    parts
        .headers
        .insert("authorization", format!("Bearer {forged}").parse().unwrap());
    let rejection = layer
        .authenticator()
        .authenticate(&parts)
        .await
        .unwrap_err();
    check("Rejection", &rejection);
    assert_eq!(rejection.to_string(), "Invalid or expired JWT token");
}

/// Errors about settings are read by whoever starts the service, and end up in logs.
#[test]
fn errors_about_settings_quote_no_value() {
    for (name, value) in [
        ("BETTER_AUTH_SECRET", "hunter2"),
        ("BETTER_AUTH_SECRETS", "1:hunter2"),
        ("BETTER_AUTH_SECRETS", "hunter2"),
        (
            "BETTER_AUTH_SECRETS",
            "1:hunter2-hunter2-hunter2,1:hunter2-hunter2-hunter2",
        ),
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

/// A store's `Debug` may be asked for by the application; the trait does not force one.
#[tokio::test]
async fn the_store_is_not_needed_for_debug() {
    struct Silent;
    impl UserStore for Silent {
        async fn resolve(
            &self,
            _: Lookup<'_>,
        ) -> Result<better_auth_layer::Resolution, StoreError> {
            Err(StoreError::timeout())
        }
    }
    assert!(format!("{:?}", builder(Silent).build().unwrap()).starts_with("BetterAuthLayer"));
}

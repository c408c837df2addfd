//! Custom stores and settings.

use super::{about, assert_finding, assert_right, check};
use support::prelude::*;

/// The result of all lookups.
#[derive(Clone, Copy)]
enum Answers {
    Nobody,
    Somebody,
    Fails,
    FailsByToken,
    Never,
    Panics,
}

struct Store {
    answers: Answers,
    /// The error of the server time in seconds.
    error: i64,
}

impl Store {
    fn that(answers: Answers) -> Self {
        Self { answers, error: 0 }
    }
}

impl UserStore for Store {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let failure = || StoreError::new(StoreErrorKind::Unavailable, "the service\nanswered 502");
        match self.answers {
            Answers::Nobody => Ok(Resolution::UserNotFound),
            Answers::Somebody => Ok(Resolution::found(
                User::new("usr_ada", "ada@example.com"),
                Session::new("ses_ada", "usr_ada", Timestamp::MAX),
            )),
            Answers::FailsByToken if lookup.key().kind() != LookupKind::SessionToken => {
                Ok(Resolution::UserNotFound)
            }
            Answers::Fails | Answers::FailsByToken => Err(failure()),
            Answers::Never => std::future::pending().await,
            Answers::Panics => panic!("hunter2"),
        }
    }

    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(Some(at(NOW + self.error)))
    }
}

#[tokio::test(start_paused = true)]
async fn custom_store_is_probed() {
    let issuer = |answers| builder(Store::that(answers)).issuer("https://app.example.com");
    let diagnosis = check(issuer(Answers::Nobody)).await;
    assert_right(&diagnosis);
    assert_finding(&diagnosis, "lookups", CheckStatus::Ok, "by email, by session token succeed");

    for (answers, what, part) in [
        (Answers::Fails, "store", "unavailable: the service answered 502;"),
        (Answers::Never, "store", "did not answer in time"),
        (Answers::Panics, "store", "panicked"),
        (
            Answers::FailsByToken,
            "lookups by session token",
            "unavailable: the service answered 502;",
        ),
        (Answers::Somebody, "lookups", "the store returned a user"),
    ] {
        let diagnosis = check(issuer(answers)).await;
        assert_finding(&diagnosis, what, CheckStatus::Failed, part);
        let text = diagnosis.to_string();
        for secret in ["hunter2", "ada@example.com", "usr_ada"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn only_accepted_lookups_are_probed() {
    let secret = Secret::new("correct-horse-battery-staple-4711").unwrap();
    for (builder, expected) in [
        (
            BetterAuthLayer::builder().secret(secret.clone()).without_session_tokens(),
            "by email succeed",
        ),
        (
            BetterAuthLayer::builder().secret(secret).without_secret_jwts(),
            "by session token succeed",
        ),
        (BetterAuthLayer::builder().api_keys(ApiKeys::new()), "by API key succeed"),
    ] {
        let diagnosis = check(builder.store(MemoryStore::new())).await;
        assert_finding(&diagnosis, "lookups", CheckStatus::Ok, expected);
    }
}

#[tokio::test]
async fn clock_skew_has_a_direction() {
    for (error, verdict, part) in [
        (0, CheckStatus::Ok, "agrees with the store's"),
        (2, CheckStatus::Ok, "agrees with the store's"),
        (3, CheckStatus::Warning, "is 3 s behind the store's"),
        (-3, CheckStatus::Warning, "is 3 s ahead of the store's"),
        (30, CheckStatus::Warning, "is 30 s behind the store's"),
        (31, CheckStatus::Failed, "is 31 s behind the store's"),
        (-86_400, CheckStatus::Failed, "is 86400 s ahead of the store's"),
    ] {
        let store = Store { answers: Answers::Nobody, error };
        let diagnosis = check(builder(store).clock(clock())).await;
        assert_finding(&diagnosis, "clock", verdict, part);
    }
}

#[tokio::test]
async fn weak_settings_are_warnings() {
    let short = Secret::new("sixteen-bytes-xy").unwrap();
    let diagnosis = check(builder(MemoryStore::new()).secret(short)).await;
    assert_finding(&diagnosis, "secret", CheckStatus::Warning, "fewer than 32 bytes");
    assert_finding(&diagnosis, "issuer", CheckStatus::Warning, "every issuer");
    assert!(diagnosis.is_healthy(), "{diagnosis}");
    assert!(!diagnosis.to_string().contains("sixteen-bytes"));
    // The store has no server time.
    assert!(about(&diagnosis, "clock").is_empty());
}

/// A store may add checks.
#[tokio::test]
async fn stores_own_checks_are_shown() {
    struct Talkative;
    impl UserStore for Talkative {
        async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
            Ok(Resolution::UserNotFound)
        }
        async fn diagnose(&self) -> Vec<Check> {
            vec![Check::warning("replica", "is a minute old").with_remedy("query the primary")]
        }
        async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
            tokio::time::sleep(Duration::MAX).await;
            Ok(None)
        }
    }
    tokio::time::pause();
    let diagnosis = check(builder(std::sync::Arc::new(Talkative))).await;
    assert_finding(
        &diagnosis,
        "replica",
        CheckStatus::Warning,
        "is a minute old; query the primary",
    );
    assert_finding(&diagnosis, "clock", CheckStatus::Failed, "did not answer in time");
}

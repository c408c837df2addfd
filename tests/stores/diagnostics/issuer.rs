//! The key endpoint and its clock.

use http::Request;
use http::header::AUTHORIZATION;
use support::prelude::*;
use tokio::sync::Notify;

use super::{about, assert_finding, assert_right, check};

/// The time of the tests' clock.
const DATE: &str = "Mon, 23 Nov 2026 11:44:02 GMT";

fn builder() -> BetterAuthLayerBuilder {
    let store = MemoryStore::new();
    store.insert_user(User::new("usr_ada", "ada@example.com"));
    store.insert_session(Session::new("ses_ada", "usr_ada", Timestamp::MAX));
    BetterAuthLayer::builder().base_url(ISSUER).clock(clock()).store(store)
}

fn issued_by(server: &KeyServer) -> BetterAuthLayerBuilder {
    builder().key_source(RemoteKeySource::new(&server.url()).unwrap())
}

#[tokio::test]
async fn fetched_keys_serve_requests() {
    let signer = Signer::ed25519("first");
    let server = KeyServer::start(Reply::Body(jwks([&signer]))).await;
    let layer = issued_by(&server).build().unwrap();
    let authenticator = layer.authenticator();
    let token = signer.token_for("usr_ada");
    let passes = async || {
        let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}"));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let identity = authenticator.authenticate(&parts).await.unwrap();
        assert_eq!(identity.user().id(), "usr_ada");
    };
    for checks in 1..=3 {
        let diagnosis = authenticator.diagnose().await;
        assert_right(&diagnosis);
        assert_finding(&diagnosis, "public keys", CheckStatus::Ok, "1 can be used");
        assert_eq!(server.hits(), checks);
        passes().await;
        assert_eq!(server.hits(), checks);
    }
    // A failed check does not remove keys.
    server.reply(Reply::Nothing);
    assert!(!authenticator.diagnose().await.is_healthy());
    passes().await;
}

#[tokio::test]
async fn wrong_key_urls_are_explained() {
    let good = Signer::ed25519("first").jwk();
    let bad = r#"{"kid":"second","kty":"oct","k":"aHVudGVyMg"}"#;
    for (reply, verdict, part) in [
        (Reply::Status(404, "no".to_owned()), CheckStatus::Failed, "responded with 404"),
        (Reply::Status(302, "/".to_owned()), CheckStatus::Failed, "redirects are not followed"),
        (Reply::Body("<html>".to_owned()), CheckStatus::Failed, "the key set is not JSON"),
        (
            Reply::Body(r#"{"keys":[]}"#.to_owned()),
            CheckStatus::Failed,
            "none of the 0 keys can be used",
        ),
        (
            Reply::Body(format!(r#"{{"keys":[{bad}]}}"#)),
            CheckStatus::Failed,
            "none of the 1 keys can be used",
        ),
        (
            Reply::Body(format!(r#"{{"keys":[{good},{bad}]}}"#)),
            CheckStatus::Warning,
            "1 of 2 can be used",
        ),
        (Reply::Silence, CheckStatus::Failed, "the fetch timed out"),
        (Reply::Nothing, CheckStatus::Failed, "could not be fetched"),
    ] {
        let server = KeyServer::start(reply.clone()).await;
        let patience = match reply {
            Reply::Silence => Duration::from_millis(50),
            _ => Duration::from_secs(30),
        };
        let options = JwksOptions::new().fetch_timeout(patience);
        let diagnosis = check(issued_by(&server).jwks_options(options)).await;
        assert_finding(&diagnosis, "public keys", verdict, part);
        assert!(!diagnosis.to_string().contains("aHVudGVyMg"));
    }
    let server = KeyServer::start(Reply::Nothing).await;
    let gone = issued_by(&server);
    drop(server);
    let diagnosis = check(gone).await;
    assert_finding(&diagnosis, "public keys", CheckStatus::Failed, "Connect");
}

#[tokio::test]
async fn static_keys_are_counted() {
    let keys: KeySet = jwks([&Signer::ed25519("first")]).parse().unwrap();
    let diagnosis = check(builder().key_source(keys)).await;
    assert_finding(&diagnosis, "public keys", CheckStatus::Ok, "1 can be used");
    let none: KeySet = r#"{"keys":[]}"#.parse().unwrap();
    let diagnosis = check(builder().key_source(none)).await;
    assert_finding(&diagnosis, "public keys", CheckStatus::Failed, "none of the configured keys");
}

#[tokio::test]
async fn issuer_clock_is_compared() {
    let keys = jwks([&Signer::ed25519("first")]);
    let server = KeyServer::start(Reply::Nothing).await;
    for (lines, wrong_by, verdict, part) in [
        (format!("date: {DATE}\r\n"), 0, CheckStatus::Ok, "agrees with the issuer's"),
        (format!("date: {DATE}\r\n"), 20, CheckStatus::Warning, "is 19 s ahead of the issuer's"),
        (format!("date: {DATE}\r\n"), -20, CheckStatus::Warning, "is 20 s behind the issuer's"),
        (format!("date: {DATE}\r\n"), 3600, CheckStatus::Failed, "is 3599 s ahead of the issuer's"),
        // The response was cached for an hour.
        (
            format!("date: {DATE}\r\nage: 3600\r\n"),
            3600,
            CheckStatus::Ok,
            "agrees with the issuer's",
        ),
        (format!("date: {DATE}\r\nage: long\r\n"), 0, CheckStatus::Ok, "agrees with the issuer's"),
    ] {
        server.reply(Reply::Headed(lines, keys.clone()));
        let clock = clock();
        clock.set_wall(at(NOW + wrong_by));
        let diagnosis = check(issued_by(&server).clock(clock)).await;
        assert_finding(&diagnosis, "clock", verdict, part);
    }
    for lines in ["", "date: yesterday\r\n", "date: \r\n", "age: 1\r\n"] {
        server.reply(Reply::Headed(lines.to_owned(), keys.clone()));
        let diagnosis = check(issued_by(&server)).await;
        assert!(about(&diagnosis, "clock").is_empty(), "{lines}: {diagnosis}");
        assert!(diagnosis.is_healthy());
    }
}

/// A key source that a test holds back.
struct Gated {
    asked: Notify,
    app: Notify,
    keys: KeySet,
}

impl KeySource for Gated {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        self.asked.notify_one();
        self.app.notified().await;
        Ok(self.keys.clone())
    }
}

/// Requests may wait for the same keys.
#[tokio::test]
async fn unpolled_check_blocks_nothing() {
    let signer = Signer::ed25519("first");
    let source = Arc::new(Gated {
        asked: Notify::new(),
        app: Notify::new(),
        keys: jwks([&signer]).parse().unwrap(),
    });
    let layer = builder().key_source(Arc::clone(&source)).build().unwrap();
    let authenticator = layer.authenticator();
    let mut held = Box::pin(authenticator.diagnose());
    tokio::select! {
        diagnosis = &mut held => panic!("{diagnosis}"),
        () = source.asked.notified() => {}
    }
    let request =
        Request::get("/").header(AUTHORIZATION, format!("Bearer {}", signer.token_for("usr_ada")));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let mut waiting = Box::pin(authenticator.authenticate(&parts));
    tokio::select! {
        answer = &mut waiting => panic!("{answer:?}"),
        () = tokio::task::yield_now() => {}
    }
    source.app.notify_one();
    let answer = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(answer.expect("the keys are there").is_ok());
    drop(held);
}

struct Broken;

impl KeySource for Broken {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        panic!("the source's code is wrong")
    }
}

#[tokio::test]
async fn panicking_source_is_a_check() {
    let diagnosis = check(builder().key_source(Broken)).await;
    assert_finding(&diagnosis, "public keys", CheckStatus::Failed, "ended without a result");
}

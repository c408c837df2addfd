//! Key sources without a URL: a static set, a custom source, a database table.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use support::prelude::*;

use cluster::cluster;
use http::Request;

use super::fixtures::{builder, store};

fn static_keys(signer: &Signer) -> KeySet {
    jwks([signer]).parse().unwrap()
}

/// Without a runtime, anything that waits would hang.
#[test]
fn static_keys_need_no_runtime() {
    let signer = Signer::ed25519("first");
    let layer = builder(&clock()).key_source(static_keys(&signer)).build().unwrap();
    let ask = |token: String| {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut future = Box::pin(layer.authenticator().authenticate(&parts));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.map_err(|rejection| rejection.kind()),
            Poll::Pending => panic!("it waits"),
        }
    };
    assert!(ask(signer.token_for("usr_ada")).is_ok());
    let other = Signer::ed25519("other").token_for("usr_ada");
    assert_eq!(ask(other).unwrap_err(), InvalidCredential);
}

/// A source that runs a function with the number of the fetch.
struct Scripted<F>(AtomicUsize, F);

impl<F, Fut> KeySource for Scripted<F>
where
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<KeySet, KeySourceError>> + Send,
{
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        (self.1)(self.0.fetch_add(1, Ordering::SeqCst)).await
    }
}

#[tokio::test]
async fn broken_source_is_retried() {
    let signer = Arc::new(Signer::ed25519("first"));
    let keys = static_keys(&signer);
    let source = Arc::new(Scripted(AtomicUsize::new(0), move |number| {
        let keys = keys.clone();
        async move {
            match number {
                0 => panic!("a source's own panic"),
                1 => std::future::pending().await,
                2 => Err(KeySourceError::new("no keys today")),
                3 => Ok(KeySet::default()),
                _ => Ok(keys),
            }
        }
    }));
    let clock = clock();
    let options = JwksOptions::new().fetch_timeout(Duration::from_millis(50));
    let app = App::of(builder(&clock).key_source(Arc::clone(&source)).jwks_options(options));
    let token = signer.token_for("usr_ada");
    for number in 0..4 {
        app.rejects(&token, &format!("fetch {number}"), Unavailable).await;
        assert_eq!(source.0.load(Ordering::SeqCst), number + 1);
        clock.advance(Duration::from_secs(1));
    }
    app.accepts(&token, "at last", "usr_ada", "ses_ada").await;
}

/// The tables of the recorded deployment and its row of the `jwks` table.
fn recorded_row() -> (String, String, String) {
    let text = include_str!("../../fixtures/better-auth/rotation-v2-jwks-row.json");
    let rows: Value = serde_json::from_str(text).unwrap();
    let text = |name: &str| rows[0][name].as_str().unwrap().to_owned();
    (text("id"), text("publicKey"), text("privateKey"))
}

/// The JWT that the deployment signed with that key, and its time.
fn recorded_token() -> (String, i64) {
    let text = include_str!("../../fixtures/better-auth/rotation-v2-jwe.json");
    let recording: Value = serde_json::from_str(text).unwrap();
    let token = recording["token"]["body"]["token"].as_str().unwrap();
    let iat = recording["tokenDecoded"]["payload"]["iat"].as_i64().unwrap();
    (token.to_owned(), iat)
}

/// The status for the recorded token. Its user is unknown here, which is reported only after the
/// signature is verified.
async fn ask(source: impl KeySource) -> u16 {
    let (token, iat) = recorded_token();
    let app = App::of(
        BetterAuthLayer::builder()
            .base_url("http://localhost:55463")
            .clock(TestClock::at(at(iat)))
            .key_source(source)
            .store(store()),
    );
    app.send(&token).await.status.as_u16()
}

#[tokio::test]
async fn sqlite_table_is_a_source() {
    let folder = TemporaryFolder::new();
    let path = folder.path().join("auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    let schema = include_str!("../../fixtures/better-auth/sqlite.schema.sql");
    database.execute_batch(schema).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    // The table is empty first, and then contains a key.
    assert_eq!(ask(store.key_source()).await, 503);
    let (id, public, private) = recorded_row();
    let sql = r#"INSERT INTO "jwks" ("id", "publicKey", "privateKey", "createdAt", "alg", "crv") VALUES (?, ?, ?, '2026-11-23T11:38:33.766Z', 'EdDSA', 'Ed25519')"#;
    database.execute(sql, [&id, &public, &private]).unwrap();
    assert_eq!(ask(store.key_source()).await, 404);
    // A replaced key is valid for its grace period, unless its end cannot be parsed.
    let clock = TestClock::at(at(NOW));
    let ends = |text: &str| {
        let sql = r#"UPDATE "jwks" SET "expiresAt" = ?"#;
        database.execute(sql, [text]).unwrap();
    };
    let with_grace = |days: u64| {
        let source = store.key_source().clock(clock.clone());
        source.grace_period(Duration::from_secs(days * 24 * 3600))
    };
    ends("2026-11-20T00:00:00.000Z");
    assert_eq!(ask(with_grace(30)).await, 404);
    assert_eq!(ask(with_grace(3)).await, 503);
    ends("yesterday");
    assert_eq!(ask(with_grace(30)).await, 503);
    database.execute_batch(r#"DROP TABLE "jwks""#).unwrap();
    assert_eq!(ask(store.key_source()).await, 503);
}

#[tokio::test]
async fn postgres_table_is_a_source() {
    let (id, public, private) = recorded_row();
    for (columns, kind) in [
        (r#""publicKey", "privateKey", "createdAt", "expiresAt""#, "timestamptz"),
        ("public_key, private_key, created_at, expires_at", "timestamp"),
    ] {
        let database = cluster().await.create_database().await;
        let store = PostgresStore::connect(database.url()).await.unwrap();
        assert_eq!(ask(store.key_source()).await, 503, "no table");
        let names: Vec<&str> = columns.split(", ").collect();
        database
            .execute(&format!(
                r#"CREATE TABLE "jwks" ("id" text PRIMARY KEY, {} text, {} text, {} {kind}, {} {kind}, "alg" text, "crv" text)"#,
                names[0], names[1], names[2], names[3]
            ))
            .await;
        database
            .execute(&format!(
                r#"INSERT INTO "jwks" ("id", {columns}, "alg", "crv") VALUES ('{id}', '{public}', '{private}', '2026-11-23', NULL, NULL, NULL)"#
            ))
            .await;
        assert_eq!(ask(store.key_source()).await, 404, "{columns}");
        database.execute(&format!(r#"UPDATE "jwks" SET {} = '2026-11-20'"#, names[3])).await;
        let source = || store.key_source().clock(TestClock::at(at(NOW)));
        assert_eq!(ask(source()).await, 404, "{columns}");
        let without_grace = source().grace_period(Duration::ZERO);
        assert_eq!(ask(without_grace).await, 503, "{columns}");
    }
}

/// A role that cannot read private keys is sufficient.
#[tokio::test]
async fn private_keys_are_not_read() {
    let (id, public, private) = recorded_row();
    let database = cluster().await.create_database().await;
    database
        .execute(
            r#"CREATE TABLE "jwks" ("id" text, "publicKey" text, "privateKey" text, "alg" text, "expiresAt" timestamptz)"#,
        )
        .await;
    database
        .execute(&format!(
            r#"INSERT INTO "jwks" VALUES ('{id}', '{public}', '{private}', 'EdDSA', NULL)"#
        ))
        .await;
    let role = format!("{}_reader", database.name());
    database
        .execute(&format!(
            r#"CREATE ROLE {role} LOGIN; GRANT SELECT ("id", "publicKey", "alg", "expiresAt") ON "jwks" TO {role}"#
        ))
        .await;
    let url = database.url();
    let url = url.replacen("//postgres@", &format!("//{role}@"), 1);
    let store = PostgresStore::connect(&url).await.unwrap();
    assert_eq!(ask(store.key_source()).await, 404);
}

#[tokio::test]
async fn issuer_and_user_ids_are_required() {
    struct ByEmail;
    impl UserStore for ByEmail {
        async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
            unreachable!("it is never asked")
        }
        fn supports(&self, kind: LookupKind) -> bool {
            kind == LookupKind::Email
        }
    }
    let signer = Signer::ed25519("first");
    let without_issuer = BetterAuthLayer::builder().key_source(static_keys(&signer)).store(store());
    let error = without_issuer.build().unwrap_err();
    assert_eq!(error.setting(), "base_url");
    let builder = BetterAuthLayer::builder().issuer(ISSUER).key_source(static_keys(&signer));
    let error = builder.store(ByEmail).build().unwrap_err();
    assert_eq!(error.setting(), "store");
    assert!(error.to_string().contains("by user id"), "{error}");
}

//! The ends of sessions and bans, in all column types and time zones.

use cluster::{Database, cluster};
use support::prelude::*;

use super::fixtures::{by_email, usual_tables};

/// The types of time columns, with the SQL for a second.
const COLUMNS: [(&str, &str); 7] = [
    ("timestamptz", "to_timestamp({})"),
    ("timestamp", "to_timestamp({}) AT TIME ZONE 'UTC'"),
    ("timestamp(3)", "to_timestamp({}) AT TIME ZONE 'UTC'"),
    // JavaScript's milliseconds, and seconds with and without fractions.
    ("bigint", "(({})::numeric * 1000)::bigint"),
    ("bigint", "({})::bigint"),
    ("double precision", "{}"),
    ("moment", "to_timestamp({})"),
];

const ZONES: [&str; 3] = ["America/Los_Angeles", "UTC", "Asia/Tokyo"];

/// A user for each session end, in a pair of tables for each column type.
async fn ends(zone: &str, ends: &[(&str, String)]) -> Database {
    let database = cluster().await.create_database().await;
    let zone = format!("ALTER DATABASE {} SET TimeZone TO '{zone}'", database.name());
    database.execute(&zone).await;
    let mut statements = "CREATE DOMAIN moment AS timestamptz;".to_owned();
    for (index, (kind, literal)) in COLUMNS.iter().enumerate() {
        statements += &format!(
            r#"CREATE TABLE "user{index}" ("id" text, "email" text, "banned" boolean, "banExpires" {kind});
            CREATE TABLE "session{index}" ("id" text, "userId" text, "expiresAt" {kind}, "createdAt" {kind});"#
        );
        for (name, end) in ends {
            let end = literal.replace("{}", end);
            statements += &format!(
                r#"INSERT INTO "user{index}" VALUES ('{name}', '{name}@example.com', true, {end});
                INSERT INTO "session{index}" VALUES ('{name}', '{name}', {end}, {end});"#
            );
        }
    }
    database.execute(&statements).await;
    database
}

async fn store(database: &Database, index: usize) -> PostgresStore {
    let schema = Schema::camel()
        .with_user_table(format!("user{index}"))
        .with_session_table(format!("session{index}"));
    let store = PostgresStore::builder(database.url()).schema(schema);
    store.max_connections(2).connect().await.unwrap()
}

async fn resolve(store: &PostgresStore, name: &str, now: Timestamp) -> Resolution {
    let address = format!("{name}@example.com");
    store.resolve(Lookup::by_email(address, now)).await.unwrap()
}

#[tokio::test]
async fn time_zone_does_not_matter() {
    for zone in ZONES {
        let database = ends(
            zone,
            &[
                ("ended", (NOW - 3600).to_string()),
                ("now", NOW.to_string()),
                ("next", (NOW + 1).to_string()),
                ("active", (NOW + 3600).to_string()),
            ],
        )
        .await;
        for (index, (kind, _)) in COLUMNS.iter().enumerate() {
            let store = store(&database, index).await;
            for (name, end) in [("next", NOW + 1), ("active", NOW + 3600)] {
                let resolution = resolve(&store, name, now()).await;
                let Resolution::Found { user, session, .. } = resolution else {
                    panic!("{zone}, {kind}, {name}: {resolution:?}");
                };
                let end = at(end);
                assert_eq!(session.expires_at(), end, "{zone}, {kind}");
                assert_eq!(session.created_at(), Some(end), "{zone}, {kind}");
                assert!(user.is_banned_at(now()), "{zone}, {kind}");
                assert!(!user.is_banned_at(end), "{zone}, {kind}");
            }
            for name in ["ended", "now"] {
                let resolution = resolve(&store, name, now()).await;
                let is_ended = matches!(resolution, Resolution::NoActiveSession);
                assert!(is_ended, "{zone}, {kind}, {name}: {resolution:?}");
            }
        }
    }
}

#[tokio::test]
async fn expiry_is_exact_to_microseconds() {
    let database = ends("America/Los_Angeles", &[("x", format!("{NOW}.25"))]).await;
    let end = Timestamp::from_unix_millis(NOW * 1000 + 250);
    let before = Timestamp::from_unix_seconds_f64(NOW as f64 + 0.249_999).unwrap();
    assert_eq!(end.abs_diff(before), Duration::from_micros(1));
    for (index, (kind, literal)) in COLUMNS.iter().enumerate() {
        let store = store(&database, index).await;
        if *kind == "bigint" && *literal == "({})::bigint" {
            // The column has whole seconds and was rounded.
            continue;
        }
        let resolution = resolve(&store, "x", before).await;
        assert!(matches!(resolution, Resolution::Found { .. }), "{kind}: {resolution:?}");
        let resolution = resolve(&store, "x", end).await;
        assert!(matches!(resolution, Resolution::NoActiveSession), "{kind}: {resolution:?}");
    }
}

#[tokio::test]
async fn infinite_session_never_ends() {
    for zone in ZONES {
        let database = ends(zone, &[]).await;
        for index in [0, 1, 2] {
            database
                .execute(&format!(
                    r#"INSERT INTO "user{index}" ("id", "email") VALUES ('u', 'ever@example.com'), ('v', 'never@example.com');
                    INSERT INTO "session{index}" VALUES ('later', 'u', to_timestamp({NOW} + 9)), ('ever', 'u', 'infinity'),
                        ('never', 'u', '-infinity'), ('neither', 'v', '-infinity'), ('nor', 'v', NULL)"#
                ))
                .await;
            let store = store(&database, index).await;
            for now in [now(), at(99_999_999_999)] {
                let resolution = resolve(&store, "ever", now).await;
                let Resolution::Found { session, .. } = resolution else {
                    panic!("{resolution:?}");
                };
                assert_eq!(session.id(), "ever");
                assert_eq!(session.expires_at(), Timestamp::MAX);
            }
            let resolution = resolve(&store, "never", now()).await;
            assert!(matches!(resolution, Resolution::NoActiveSession), "{resolution:?}");
        }
    }
}

#[tokio::test]
async fn extreme_numbers_are_times() {
    let database = ends("UTC", &[]).await;
    // The column of milliseconds.
    database
        .execute(
            r#"INSERT INTO "user3" ("id", "email") VALUES ('u', 'edge@example.com');
            INSERT INTO "session3" VALUES ('first', 'u', -9223372036854775808), ('last', 'u', 9223372036854775807)"#,
        )
        .await;
    let store = store(&database, 3).await;
    assert_eq!(by_email(&store, "edge@example.com").await, "u last");
}

#[tokio::test]
async fn request_is_valid_until_expiry() {
    let database = usual_tables().await;
    let zone = format!("ALTER DATABASE {} SET TimeZone TO 'America/Los_Angeles'", database.name());
    database.execute(&zone).await;
    database
        .execute(&format!(
            r#"ALTER TABLE "session" ALTER "expiresAt" TYPE timestamp USING now();
            INSERT INTO "user" ("id", "email") VALUES ('u', 'u@example.com');
            INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                VALUES ('s', 'u', 't', to_timestamp({NOW} + 60) AT TIME ZONE 'UTC')"#
        ))
        .await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    let clock = clock();
    let app = App::of(builder(store).clock(clock.clone()));
    let token = token_for("u@example.com");
    app.accepts(&token, "at first", "u", "s").await;
    clock.advance(Duration::from_millis(59_999));
    app.accepts(&token, "at the last", "u", "s").await;
    clock.advance(Duration::from_millis(1));
    app.rejects(&token, "ended", NoActiveSession).await;
}

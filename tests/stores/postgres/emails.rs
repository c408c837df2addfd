//! Spellings of emails in requests and in tables.

use cluster::{Database, cluster};
use support::prelude::*;

use super::fixtures::{Types, by_email, own_server};

/// Users `u0`, `u1`, … with these emails and a session each.
async fn fill(database: &Database, addresses: &[&str]) {
    let ends = now().as_unix_seconds() + 60;
    for (index, address) in addresses.iter().enumerate() {
        database
            .execute(&format!(
                r#"INSERT INTO "user" ("id", "email") VALUES ('u{index}', '{address}');
                INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                    VALUES ('s{index}', 'u{index}', 't{index}', to_timestamp({ends}));"#
            ))
            .await;
    }
}

async fn store(email: &'static str, addresses: &[&str]) -> PostgresStore {
    let database = cluster().await.create_database().await;
    let types = Types { email, ..Types::USUAL };
    database.execute(&types.ddl()).await;
    fill(&database, addresses).await;
    PostgresStore::connect(database.url()).await.unwrap()
}

#[tokio::test]
async fn exact_email_wins_over_lower_case() {
    for email in ["text", "varchar(80)", "char(80)"] {
        // The lower-case row is first in the table and has the lower id.
        let store = store(email, &["ada@example.com", "Ada@Example.com", "eve@example.com"]).await;
        assert_eq!(by_email(&store, "Ada@Example.com").await, "u1 s1", "{email}");
        assert_eq!(by_email(&store, "ada@example.com").await, "u0 s0", "{email}");
        assert_eq!(by_email(&store, "ADA@EXAMPLE.COM").await, "u0 s0", "{email}");
        assert_eq!(by_email(&store, "EVE@example.com").await, "u2 s2", "{email}");
        assert_eq!(by_email(&store, "aDa@example.org").await, "no user", "{email}");
    }
}

#[tokio::test]
async fn unicode_emails_stay_distinct() {
    let store =
        store("text", &["jürgen+🦀@exämple.com", "JÜRGEN+🦀@EXÄMPLE.COM", "straße@example.com"])
            .await;
    assert_eq!(by_email(&store, "jürgen+🦀@exämple.com").await, "u0 s0");
    assert_eq!(by_email(&store, "JÜRGEN+🦀@EXÄMPLE.COM").await, "u1 s1");
    assert_eq!(by_email(&store, "Jürgen+🦀@Exämple.com").await, "u0 s0");
    assert_eq!(by_email(&store, "JüRGEN+🦀@EXÄMPLE.COM").await, "no user");
    assert_eq!(by_email(&store, "strasse@example.com").await, "no user");
    // The same letter as two code points.
    assert_eq!(by_email(&store, "ju\u{308}rgen+🦀@exämple.com").await, "no user");
}

/// The type of the citext extension, built from standard parts.
const CASELESS: &str = r#"
    CREATE TYPE caseless;
    CREATE FUNCTION caseless_in(cstring) RETURNS caseless LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION caseless_out(caseless) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
    CREATE TYPE caseless (INPUT = caseless_in, OUTPUT = caseless_out, LIKE = text, CATEGORY = 'S');
    CREATE CAST (caseless AS text) WITHOUT FUNCTION AS IMPLICIT;
    CREATE FUNCTION caseless_eq(caseless, caseless) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
        AS 'SELECT lower($1::text) = lower($2::text)';
    CREATE OPERATOR = (LEFTARG = caseless, RIGHTARG = caseless, FUNCTION = caseless_eq);
"#;

#[tokio::test]
async fn citext_column_finds_one_user() {
    let database = own_server().await.create_database().await;
    database.execute(CASELESS).await;
    let types = Types { email: "caseless", ..Types::USUAL };
    database.execute(&types.ddl()).await;
    fill(&database, &["Ada@Example.com", "ada@EXAMPLE.com", "ada@example.com"]).await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    for (index, address) in
        ["Ada@Example.com", "ada@EXAMPLE.com", "ada@example.com"].iter().enumerate()
    {
        assert_eq!(by_email(&store, address).await, format!("u{index} s{index}"));
    }
    // In lower case only.
    assert_eq!(by_email(&store, "aDA@example.com").await, "u2 s2");
    // A third spelling may belong to a different user.
    database.execute(r#"DELETE FROM "user" WHERE "id" <> 'u0'"#).await;
    assert_eq!(by_email(&store, "aDA@example.com").await, "no user");
}

#[tokio::test]
async fn duplicate_emails_are_an_error() {
    let store = store(
        "text",
        &["ada@example.com", "ada@example.com", "Eve@example.com", "eve@example.com"],
    )
    .await;
    assert_eq!(by_email(&store, "ada@example.com").await, "failed: wrong_answer");
    assert_eq!(by_email(&store, "Ada@Example.com").await, "failed: wrong_answer");
    assert_eq!(by_email(&store, "Eve@example.com").await, "u2 s2");
}

#[tokio::test]
async fn other_spelling_of_id_is_not_found() {
    let database = own_server().await.create_database().await;
    database.execute(CASELESS).await;
    let caseless = Types { owner: "text", ..Types::ids("caseless") };
    // The type has no order, and so no index.
    let ddl = caseless
        .ddl()
        .replace("PRIMARY KEY", "")
        .replace("\"token\" text NOT NULL UNIQUE", "\"token\" caseless");
    database.execute(&ddl).await;
    fill(&database, &["ada@example.com"]).await;
    let store = PostgresStore::connect(database.url()).await.unwrap();
    assert_eq!(super::fixtures::by_id(&store, "u0").await, "u0 s0");
    assert_eq!(super::fixtures::by_id(&store, "U0").await, "no user");
    assert_eq!(super::fixtures::by_token(&store, "t0").await, "u0 s0");
    assert_eq!(super::fixtures::by_token(&store, "T0").await, "no session");
}

#[tokio::test]
async fn other_encodings_are_supported() {
    let database = own_server().await.create_database().await;
    let name = format!("{}_latin1", database.name());
    database
        .execute(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
        ))
        .await;
    let url = database.url().replacen(database.name(), &name, 1);
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&Types::USUAL.ddl()).await.unwrap();
    client
        .batch_execute(
            r#"INSERT INTO "user" ("id", "email") VALUES ('u', 'jürgen@example.com');
            INSERT INTO "session" ("id", "userId", "token", "expiresAt") VALUES ('s', 'u', 't', 'infinity')"#,
        )
        .await
        .unwrap();
    let store = PostgresStore::connect(&url).await.unwrap();
    assert_eq!(by_email(&store, "jürgen@example.com").await, "u s");
    assert_eq!(by_email(&store, "jürgen+🦀@example.com").await, "no user");
    assert_eq!(super::fixtures::by_token(&store, "🦀").await, "no session");
}

//! The users and sessions of the contract tests, and how each kind of store gets them.

use better_auth_layer::{
    MemoryStore, PostgresStore, Session, SessionToken, SqliteStore, Timestamp, User,
};

use crate::postgres::cluster;
use crate::temporary_folder::TemporaryFolder;
use crate::test_clock::NOW;

/// A user.
pub struct Person {
    /// Its id.
    pub id: &'static str,
    /// Its address, as stored.
    pub email: &'static str,
    /// Whether the address is verified.
    pub verified: bool,
    /// The role column.
    pub role: Option<&'static str>,
    /// Whether it is banned, and until which second, if the ban ends.
    pub ban: Option<Option<i64>>,
}

/// A session.
pub struct Visit {
    /// Its id.
    pub id: &'static str,
    /// Whose it is.
    pub user_id: &'static str,
    /// When it ends.
    pub expires_at: i64,
    /// Its token.
    pub token: &'static str,
    /// The administrator in it.
    pub impersonated_by: Option<&'static str>,
}

const fn person(id: &'static str, email: &'static str) -> Person {
    Person {
        id,
        email,
        verified: false,
        role: None,
        ban: None,
    }
}

const fn visit(id: &'static str, user_id: &'static str, expires_at: i64) -> Visit {
    Visit {
        id,
        user_id,
        expires_at,
        token: id,
        impersonated_by: None,
    }
}

/// The users.
pub fn people() -> Vec<Person> {
    vec![
        Person {
            verified: true,
            role: Some("admin,editor"),
            ..person("usr_ada", "ada@example.com")
        },
        person("usr_nosession", "no-session@example.com"),
        person("usr_expired", "only-expired@example.com"),
        person("usr_edge", "edge@example.com"),
        person("usr_several", "several@example.com"),
        person("usr_impersonated", "impersonated@example.com"),
        // Two rows whose addresses differ in case alone, as no Better Auth but some other table has them.
        person("usr_mixed", "Mixed.Case@Example.com"),
        person("usr_lower", "mixed.case@example.com"),
        person("usr_unicode", "jürgen+🦀@exämple.com"),
        Person {
            ban: Some(None),
            ..person("usr_banned", "banned@example.com")
        },
        Person {
            ban: Some(Some(NOW + 1)),
            ..person("usr_banned_still", "banned-still@example.com")
        },
        Person {
            ban: Some(Some(NOW)),
            ..person("usr_banned_before", "banned-before@example.com")
        },
        person("usr_wildcard", "%@example.com"),
    ]
}

/// The sessions.
pub fn visits() -> Vec<Visit> {
    vec![
        visit("ses_ada", "usr_ada", NOW + 3600),
        visit("ses_expired_1", "usr_expired", NOW - 3600),
        visit("ses_expired_2", "usr_expired", NOW),
        visit("ses_edge", "usr_edge", NOW + 1),
        visit("ses_several_short", "usr_several", NOW + 100),
        visit("ses_several_long_b", "usr_several", NOW + 200),
        visit("ses_several_long_a", "usr_several", NOW + 200),
        Visit {
            impersonated_by: Some("usr_ada"),
            ..visit("ses_several_admin", "usr_several", NOW + 900)
        },
        visit("ses_several_ended", "usr_several", NOW - 1),
        Visit {
            impersonated_by: Some("usr_ada"),
            ..visit("ses_admin", "usr_impersonated", NOW + 900)
        },
        visit("ses_mixed", "usr_mixed", NOW + 3600),
        visit("ses_lower", "usr_lower", NOW + 7200),
        visit("ses_unicode", "usr_unicode", NOW + 3600),
        visit("ses_banned", "usr_banned", NOW + 3600),
        visit("ses_banned_still", "usr_banned_still", NOW + 3600),
        visit("ses_banned_before", "usr_banned_before", NOW + 3600),
        visit("ses_wildcard", "usr_wildcard", NOW + 3600),
    ]
}

/// All of it in memory.
pub fn memory() -> MemoryStore {
    let store = MemoryStore::new();
    for person in people() {
        let mut user = User::new(person.id, person.email).with_email_verified(person.verified);
        if let Some(role) = person.role {
            user = user.with_role(role);
        }
        if let Some(expires) = person.ban {
            user = user.with_ban(expires.map(Timestamp::from_unix_seconds));
        }
        store.insert_user(user);
    }
    for visit in visits() {
        let expires_at = Timestamp::from_unix_seconds(visit.expires_at);
        let mut session = Session::new(visit.id, visit.user_id, expires_at)
            .with_token(SessionToken::new(visit.token));
        if let Some(admin) = visit.impersonated_by {
            session = session.with_impersonated_by(admin);
        }
        store.insert_session(session);
    }
    store
}

/// The tables that Better Auth's own migrator makes in SQLite.
pub const SQLITE_TABLES: &str = r#"
    CREATE TABLE "user" ("id" text not null primary key, "name" text not null, "email" text not null unique,
        "emailVerified" integer not null, "image" text, "createdAt" date not null, "updatedAt" date not null,
        "role" text, "banned" integer, "banReason" text, "banExpires" date);
    CREATE TABLE "session" ("id" text not null primary key, "expiresAt" date not null, "token" text not null unique,
        "createdAt" date not null, "updatedAt" date not null, "ipAddress" text, "userAgent" text,
        "userId" text not null references "user" ("id") on delete cascade, "impersonatedBy" text,
        "activeOrganizationId" text);
    CREATE INDEX "session_userId_idx" on "session" ("userId");
"#;

/// All of it in a SQLite file as Better Auth writes it; the file lives as long as the folder.
pub fn sqlite() -> (SqliteStore, TemporaryFolder) {
    let folder = TemporaryFolder::new();
    let path = folder.path().join("auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(SQLITE_TABLES).unwrap();
    let iso = |seconds: i64| -> String {
        database
            .query_row(
                "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?1, 'unixepoch')",
                [seconds],
                |row| row.get(0),
            )
            .unwrap()
    };
    for person in people() {
        database
            .execute(
                r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt", "role", "banned",
                "banExpires") VALUES (?1, ?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)"#,
                rusqlite::params![
                    person.id,
                    person.email,
                    person.verified,
                    iso(NOW - 86_400),
                    person.role,
                    person.ban.is_some(),
                    person.ban.flatten().map(iso),
                ],
            )
            .unwrap();
    }
    for visit in visits() {
        database
            .execute(
                r#"INSERT INTO "session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "userId", "impersonatedBy")
                VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)"#,
                rusqlite::params![
                    visit.id,
                    iso(visit.expires_at),
                    visit.token,
                    iso(NOW - 3600),
                    visit.user_id,
                    visit.impersonated_by,
                ],
            )
            .unwrap();
    }
    (SqliteStore::open(path).unwrap(), folder)
}

/// The tables that Better Auth's own migrator makes in PostgreSQL.
pub const POSTGRES_TABLES: &str = r#"
    CREATE TABLE "user" ("id" text not null primary key, "name" text not null, "email" text not null unique,
        "emailVerified" boolean not null, "image" text, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
        "updatedAt" timestamptz default CURRENT_TIMESTAMP not null, "role" text, "banned" boolean, "banReason" text,
        "banExpires" timestamptz);
    CREATE TABLE "session" ("id" text not null primary key, "expiresAt" timestamptz not null,
        "token" text not null unique, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
        "updatedAt" timestamptz default CURRENT_TIMESTAMP not null, "ipAddress" text, "userAgent" text,
        "userId" text not null references "user" ("id") on delete cascade, "impersonatedBy" text,
        "activeOrganizationId" text);
    CREATE INDEX "session_userId_idx" on "session" ("userId");
"#;

/// All of it in a database of its own on the tests' PostgreSQL server.
pub async fn postgres() -> PostgresStore {
    let database = cluster().await.create_database().await;
    database.execute(POSTGRES_TABLES).await;
    let client = database.client().await;
    for person in people() {
        let ban_expires = person.ban.flatten().map(|seconds| seconds as f64);
        client
            .execute(
                r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "role", "banned", "banExpires")
                VALUES ($1, $1, $2, $3, $4, $5, to_timestamp($6))"#,
                &[&person.id, &person.email, &person.verified, &person.role, &person.ban.is_some(), &ban_expires],
            )
            .await
            .unwrap();
    }
    for visit in visits() {
        client
            .execute(
                r#"INSERT INTO "session" ("id", "expiresAt", "token", "userId", "impersonatedBy")
                VALUES ($1, to_timestamp($2), $3, $4, $5)"#,
                &[
                    &visit.id,
                    &(visit.expires_at as f64),
                    &visit.token,
                    &visit.user_id,
                    &visit.impersonated_by,
                ],
            )
            .await
            .unwrap();
    }
    PostgresStore::connect(database.url()).await.unwrap()
}

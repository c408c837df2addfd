//! The users and sessions of the contract tests, and how each kind of store gets them.

use std::time::Duration;

use better_auth_layer::{
    ApiKey, ApiKeyHash, MemoryStore, PostgresStore, Session, SessionToken, SqliteStore, Timestamp,
    User,
};

use crate::temporary_folder::TemporaryFolder;
use crate::test_clock::NOW;
use cluster::cluster;

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

/// An API key.
pub struct Key {
    /// Its id.
    pub id: &'static str,
    /// The key as it is sent.
    pub text: &'static str,
    /// Whose it is.
    pub owner: &'static str,
    /// The configuration it belongs to.
    pub configuration: &'static str,
    /// Whether it is switched on.
    pub enabled: bool,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// How many uses are left.
    pub remaining: Option<i64>,
    /// After how many milliseconds it is filled up again, and when it was last.
    pub refill: Option<(i64, i64)>,
}

const fn key(id: &'static str, text: &'static str, owner: &'static str) -> Key {
    Key {
        id,
        text,
        owner,
        configuration: "default",
        enabled: true,
        expires_at: None,
        remaining: None,
        refill: None,
    }
}

/// The permissions of every API key.
pub const PERMISSIONS: &str = r#"{"files":["read","list"]}"#;

/// The API keys.
pub fn keys() -> Vec<Key> {
    let ada = |id, text| key(id, text, "usr_ada");
    vec![
        ada("key_ada", "app_of-ada"),
        Key {
            enabled: false,
            ..ada("key_disabled", "app_disabled")
        },
        Key {
            expires_at: Some(NOW),
            ..ada("key_expired", "app_expired")
        },
        Key {
            expires_at: Some(NOW + 1),
            ..ada("key_edge", "app_edge")
        },
        Key {
            remaining: Some(0),
            ..ada("key_used_up", "app_used-up")
        },
        Key {
            remaining: Some(1),
            ..ada("key_last_use", "app_last-use")
        },
        Key {
            remaining: Some(0),
            refill: Some((60_000, NOW - 60)),
            ..ada("key_refill_due", "app_refill-due")
        },
        Key {
            remaining: Some(0),
            refill: Some((60_000, NOW - 59)),
            ..ada("key_refill_later", "app_refill-later")
        },
        Key {
            configuration: "internal",
            ..ada("key_internal", "app_internal")
        },
        key("key_orphan", "app_of-an-organization", "org_1"),
        key("key_banned", "app_of-a-banned-user", "usr_banned"),
    ]
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
    for key in keys() {
        store.insert_api_key(api_key(&key));
    }
    store
}

fn api_key(row: &Key) -> ApiKey {
    let mut key = ApiKey::new(row.id, row.owner, ApiKeyHash::from_key(row.text))
        .with_config_id(row.configuration)
        .with_name(row.id)
        .with_enabled(row.enabled)
        .with_rate_limit(10, Duration::from_secs(86_400))
        .with_permissions_json(PERMISSIONS);
    if let Some(expires_at) = row.expires_at {
        key = key.with_expires_at(Timestamp::from_unix_seconds(expires_at));
    }
    if let Some(remaining) = row.remaining {
        key = key.with_remaining(remaining);
    }
    if let Some((interval, last)) = row.refill {
        let due_at = Timestamp::from_unix_millis(last * 1000 + interval);
        key = key.with_refill_due_at(due_at);
    }
    key
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
    CREATE TABLE "apikey" ("id" text not null primary key, "configId" text not null, "name" text, "start" text,
        "referenceId" text not null, "prefix" text, "key" text not null, "refillInterval" integer,
        "refillAmount" integer, "lastRefillAt" date, "enabled" integer, "rateLimitEnabled" integer,
        "rateLimitTimeWindow" integer, "rateLimitMax" integer, "requestCount" integer, "remaining" integer,
        "lastRequest" date, "expiresAt" date, "createdAt" date not null, "updatedAt" date not null, "permissions" text,
        "metadata" text);
    CREATE INDEX "apikey_key_idx" on "apikey" ("key");
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
    for key in keys() {
        database
            .execute(
                r#"INSERT INTO "apikey" ("id", "configId", "name", "referenceId", "key", "refillInterval", "refillAmount",
                "lastRefillAt", "enabled", "rateLimitEnabled", "rateLimitTimeWindow", "rateLimitMax", "remaining",
                "expiresAt", "createdAt", "updatedAt", "permissions")
                VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, 1, 86400000, 10, ?9, ?10, ?11, ?11, ?12)"#,
                rusqlite::params![
                    key.id,
                    key.configuration,
                    key.owner,
                    ApiKeyHash::from_key(key.text).as_str(),
                    key.refill.map(|(interval, _)| interval),
                    key.refill.map(|_| 5),
                    key.refill.map(|(_, last)| iso(last)),
                    key.enabled,
                    key.remaining,
                    key.expires_at.map(iso),
                    iso(NOW - 3600),
                    PERMISSIONS,
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
    CREATE TABLE "apikey" ("id" text not null primary key, "configId" text not null, "name" text, "start" text,
        "referenceId" text not null, "prefix" text, "key" text not null, "refillInterval" integer,
        "refillAmount" integer, "lastRefillAt" timestamptz, "enabled" boolean, "rateLimitEnabled" boolean,
        "rateLimitTimeWindow" integer, "rateLimitMax" integer, "requestCount" integer, "remaining" integer,
        "lastRequest" timestamptz, "expiresAt" timestamptz, "createdAt" timestamptz not null, "updatedAt" timestamptz not null, "permissions" text,
        "metadata" text);
    CREATE INDEX "apikey_key_idx" on "apikey" ("key");
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
    for key in keys() {
        let time = |seconds: i64| seconds as f64;
        let whole = |number: i64| i32::try_from(number).unwrap();
        client
            .execute(
                r#"INSERT INTO "apikey" ("id", "configId", "name", "referenceId", "key", "refillInterval", "refillAmount",
                "lastRefillAt", "enabled", "rateLimitEnabled", "rateLimitTimeWindow", "rateLimitMax", "remaining",
                "expiresAt", "createdAt", "updatedAt", "permissions")
                VALUES ($1, $2, $1, $3, $4, $5, $6, to_timestamp($7), $8, true, 86400000, 10, $9, to_timestamp($10),
                to_timestamp($11), now(), $12)"#,
                &[
                    &key.id,
                    &key.configuration,
                    &key.owner,
                    &ApiKeyHash::from_key(key.text).as_str(),
                    &key.refill.map(|(interval, _)| whole(interval)),
                    &key.refill.map(|_| 5),
                    &key.refill.map(|(_, last)| time(last)),
                    &key.enabled,
                    &key.remaining.map(whole),
                    &key.expires_at.map(time),
                    &time(NOW - 3600),
                    &PERMISSIONS,
                ],
            )
            .await
            .unwrap();
    }
    PostgresStore::connect(database.url()).await.unwrap()
}

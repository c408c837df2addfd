//! The users, sessions and API keys of the conformance suite, for each kind of store.

use cluster::cluster;
use rusqlite::params;
use tokio_postgres::types::ToSql;

use crate::prelude::*;

/// A user.
#[derive(Default)]
pub struct UserRow {
    /// The id.
    pub id: &'static str,
    /// The email as stored.
    pub email: &'static str,
    /// Whether the email is verified.
    pub verified: bool,
    /// The role.
    pub role: Option<&'static str>,
    /// A ban, with the second in which it ends if it does.
    pub ban: Option<Option<i64>>,
}

/// A session.
#[derive(Default)]
pub struct SessionRow {
    /// The id, which is the token as well.
    pub id: &'static str,
    /// The id of the user.
    pub user_id: &'static str,
    /// The second in which it ends.
    pub expires_at: i64,
    /// The administrator who opened it.
    pub impersonated_by: Option<&'static str>,
}

/// An API key.
pub struct ApiKeyRow {
    /// The id.
    pub id: &'static str,
    /// The key as sent.
    pub text: &'static str,
    /// The id of the owner.
    pub owner: &'static str,
    /// The configuration of the plugin.
    pub configuration: &'static str,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The second in which it ends.
    pub expires_at: Option<i64>,
    /// The number of uses left.
    pub remaining: Option<i64>,
    /// The refill interval in milliseconds, and the second of the last refill.
    pub refill: Option<(i64, i64)>,
}

/// The permissions of every API key.
pub const PERMISSIONS: &str = r#"{"files":["read","list"]}"#;

/// The API keys.
pub fn api_keys() -> Vec<ApiKeyRow> {
    let of = |owner, id, text| ApiKeyRow {
        id,
        text,
        owner,
        configuration: "default",
        enabled: true,
        expires_at: None,
        remaining: None,
        refill: None,
    };
    let ada = |id, text| of("usr_ada", id, text);
    let refill = |seconds_ago| Some((60_000, NOW - seconds_ago));
    vec![
        ada("key_ada", "app_of-ada"),
        ApiKeyRow { enabled: false, ..ada("key_disabled", "app_disabled") },
        ApiKeyRow { expires_at: Some(NOW), ..ada("key_expired", "app_expired") },
        ApiKeyRow { expires_at: Some(NOW + 1), ..ada("key_edge", "app_edge") },
        ApiKeyRow { remaining: Some(0), ..ada("key_used_up", "app_used-up") },
        ApiKeyRow { remaining: Some(1), ..ada("key_last_use", "app_last-use") },
        ApiKeyRow {
            remaining: Some(0),
            refill: refill(60),
            ..ada("key_refill_due", "app_refill-due")
        },
        ApiKeyRow {
            remaining: Some(0),
            refill: refill(59),
            ..ada("key_refill_later", "app_refill-later")
        },
        ApiKeyRow { configuration: "internal", ..ada("key_internal", "app_internal") },
        of("org_1", "key_orphan", "app_of-an-organization"),
        of("usr_banned", "key_banned", "app_of-a-banned-user"),
    ]
}

/// The users.
pub fn users() -> Vec<UserRow> {
    let user = |id, email| UserRow { id, email, ..UserRow::default() };
    let banned = |id, email, ban| UserRow { ban: Some(ban), ..user(id, email) };
    let ada = UserRow { verified: true, role: Some("admin,editor"), ..user("usr_ada", ADA) };
    vec![
        ada,
        user("usr_nosession", "no-session@example.com"),
        user("usr_expired", "only-expired@example.com"),
        user("usr_edge", "edge@example.com"),
        user("usr_several", "several@example.com"),
        user("usr_impersonated", "impersonated@example.com"),
        // Emails that differ in case alone. Better Auth writes lower case, other programs may not.
        user("usr_mixed", "Mixed.Case@Example.com"),
        user("usr_lower", "mixed.case@example.com"),
        user("usr_unicode", "jürgen+🦀@exämple.com"),
        banned("usr_banned", "banned@example.com", None),
        banned("usr_banned_still", "banned-still@example.com", Some(NOW + 1)),
        banned("usr_banned_before", "banned-before@example.com", Some(NOW)),
        user("usr_wildcard", "%@example.com"),
    ]
}

/// The sessions.
pub fn sessions() -> Vec<SessionRow> {
    let session = |id, user_id, seconds| SessionRow {
        id,
        user_id,
        expires_at: NOW + seconds,
        impersonated_by: None,
    };
    let impersonated =
        |id, user_id| SessionRow { impersonated_by: Some("usr_ada"), ..session(id, user_id, 900) };
    vec![
        session("ses_ada", "usr_ada", 3600),
        session("ses_expired_1", "usr_expired", -3600),
        session("ses_expired_2", "usr_expired", 0),
        session("ses_edge", "usr_edge", 1),
        session("ses_several_short", "usr_several", 100),
        session("ses_several_long_b", "usr_several", 200),
        session("ses_several_long_a", "usr_several", 200),
        impersonated("ses_several_admin", "usr_several"),
        session("ses_several_ended", "usr_several", -1),
        impersonated("ses_admin", "usr_impersonated"),
        session("ses_mixed", "usr_mixed", 3600),
        session("ses_lower", "usr_lower", 7200),
        session("ses_unicode", "usr_unicode", 3600),
        session("ses_banned", "usr_banned", 3600),
        session("ses_banned_still", "usr_banned_still", 3600),
        session("ses_banned_before", "usr_banned_before", 3600),
        session("ses_wildcard", "usr_wildcard", 3600),
    ]
}

/// A [`MemoryStore`] with all rows.
pub fn memory() -> MemoryStore {
    let store = MemoryStore::new();
    for row in users() {
        let mut user = User::new(row.id, row.email).with_email_verified(row.verified);
        if let Some(role) = row.role {
            user = user.with_role(role);
        }
        if let Some(expires) = row.ban {
            user = user.with_ban(expires.map(at));
        }
        store.insert_user(user);
    }
    for row in sessions() {
        let mut session = Session::new(row.id, row.user_id, at(row.expires_at))
            .with_token(SessionToken::new(row.id));
        if let Some(admin) = row.impersonated_by {
            session = session.with_impersonated_by(admin);
        }
        store.insert_session(session);
    }
    for row in api_keys() {
        let mut key = ApiKey::new(row.id, row.owner, ApiKeyHash::from_key(row.text))
            .with_config_id(row.configuration)
            .with_name(row.id)
            .with_enabled(row.enabled)
            .with_rate_limit(10, Duration::from_secs(86_400))
            .with_permissions_json(PERMISSIONS);
        if let Some(expires_at) = row.expires_at {
            key = key.with_expires_at(at(expires_at));
        }
        if let Some(remaining) = row.remaining {
            key = key.with_remaining(remaining);
        }
        if let Some((interval, last)) = row.refill {
            key = key.with_refill_due_at(Timestamp::from_unix_millis(last * 1000 + interval));
        }
        store.insert_api_key(key);
    }
    store
}

/// The tables that Better Auth's migrator creates in SQLite.
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

/// A SQLite file with all rows, as Better Auth writes them. The folder removes the file when it is dropped.
pub fn sqlite() -> (SqliteStore, TemporaryFolder) {
    let folder = TemporaryFolder::new();
    let path = folder.path().join("auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(SQLITE_TABLES).unwrap();
    let iso = |seconds: i64| -> String {
        let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?1, 'unixepoch')";
        database.query_row(sql, [seconds], |row| row.get(0)).unwrap()
    };
    for row in users() {
        let (ban, created_at) = (row.ban.flatten().map(iso), iso(NOW - 86_400));
        let sql = r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt",
            "updatedAt", "role", "banned", "banExpires") VALUES (?1, ?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)"#;
        let banned = row.ban.is_some();
        let values = params![row.id, row.email, row.verified, created_at, row.role, banned, ban];
        database.execute(sql, values).unwrap();
    }
    for row in sessions() {
        let (expires_at, created_at) = (iso(row.expires_at), iso(NOW - 3600));
        let sql = r#"INSERT INTO "session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "userId",
            "impersonatedBy") VALUES (?1, ?2, ?1, ?3, ?3, ?4, ?5)"#;
        let values = params![row.id, expires_at, created_at, row.user_id, row.impersonated_by];
        database.execute(sql, values).unwrap();
    }
    for row in api_keys() {
        let sql = r#"INSERT INTO "apikey" ("id", "configId", "name", "referenceId", "key", "refillInterval",
            "refillAmount", "lastRefillAt", "enabled", "rateLimitEnabled", "rateLimitTimeWindow",
            "rateLimitMax", "remaining", "expiresAt", "createdAt", "updatedAt", "permissions")
            VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, 1, 86400000, 10, ?9, ?10, ?11, ?11, ?12)"#;
        let hash = ApiKeyHash::from_key(row.text);
        let values = params![
            row.id,
            row.configuration,
            row.owner,
            hash.as_str(),
            row.refill.map(|(interval, _)| interval),
            row.refill.map(|_| 5),
            row.refill.map(|(_, last)| iso(last)),
            row.enabled,
            row.remaining,
            row.expires_at.map(iso),
            iso(NOW - 3600),
            PERMISSIONS,
        ];
        database.execute(sql, values).unwrap();
    }
    (SqliteStore::open(path).unwrap(), folder)
}

/// The tables that Better Auth's migrator creates in PostgreSQL.
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

/// A new PostgreSQL database with all rows.
pub async fn postgres() -> PostgresStore {
    let database = cluster().await.create_database().await;
    database.execute(POSTGRES_TABLES).await;
    let client = database.client().await;
    let time = |seconds: i64| seconds as f64;
    for row in users() {
        let (banned, ban_expires) = (row.ban.is_some(), row.ban.flatten().map(time));
        let sql = r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "role", "banned", "banExpires")
            VALUES ($1, $1, $2, $3, $4, $5, to_timestamp($6))"#;
        let values: [&(dyn ToSql + Sync); 6] =
            [&row.id, &row.email, &row.verified, &row.role, &banned, &ban_expires];
        client.execute(sql, &values).await.unwrap();
    }
    for row in sessions() {
        let expires_at = time(row.expires_at);
        let sql = r#"INSERT INTO "session" ("id", "expiresAt", "token", "userId", "impersonatedBy")
            VALUES ($1, to_timestamp($2), $1, $3, $4)"#;
        let values: [&(dyn ToSql + Sync); 4] =
            [&row.id, &expires_at, &row.user_id, &row.impersonated_by];
        client.execute(sql, &values).await.unwrap();
    }
    for row in api_keys() {
        let whole = |number: i64| i32::try_from(number).unwrap();
        let sql = r#"INSERT INTO "apikey" ("id", "configId", "name", "referenceId", "key", "refillInterval",
            "refillAmount", "lastRefillAt", "enabled", "rateLimitEnabled", "rateLimitTimeWindow",
            "rateLimitMax", "remaining", "expiresAt", "createdAt", "updatedAt", "permissions")
            VALUES ($1, $2, $1, $3, $4, $5, $6, to_timestamp($7), $8, true, 86400000, 10, $9,
            to_timestamp($10), to_timestamp($11), now(), $12)"#;
        let hash = ApiKeyHash::from_key(row.text);
        let values: [&(dyn ToSql + Sync); 12] = [
            &row.id,
            &row.configuration,
            &row.owner,
            &hash.as_str(),
            &row.refill.map(|(interval, _)| whole(interval)),
            &row.refill.map(|_| 5),
            &row.refill.map(|(_, last)| time(last)),
            &row.enabled,
            &row.remaining.map(whole),
            &row.expires_at.map(time),
            &time(NOW - 3600),
            &PERMISSIONS,
        ];
        client.execute(sql, &values).await.unwrap();
    }
    PostgresStore::connect(database.url()).await.unwrap()
}

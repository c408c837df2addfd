//! Databases with a given number of users.

use cluster::postgres::{ClusterOptions, Database, OwnCluster};

use crate::error::Error;

/// Sessions of each user.
pub(crate) const SESSIONS: usize = 3;

/// The tables of Better Auth's migration. Indexes are created after the rows.
const TABLES: &str = r#"
    CREATE TABLE "user" ("id" text not null primary key, "name" text not null, "email" text not null,
        "emailVerified" boolean not null, "image" text, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
        "updatedAt" timestamptz default CURRENT_TIMESTAMP not null, "role" text, "banned" boolean, "banReason" text,
        "banExpires" timestamptz);
    CREATE TABLE "session" ("id" text not null primary key, "expiresAt" timestamptz not null, "token" text not null,
        "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
        "updatedAt" timestamptz default CURRENT_TIMESTAMP not null, "ipAddress" text, "userAgent" text,
        "userId" text not null, "impersonatedBy" text);
    CREATE TABLE "account" ("id" text not null primary key, "accountId" text not null, "providerId" text not null,
        "userId" text not null, "accessToken" text, "refreshToken" text, "idToken" text,
        "accessTokenExpiresAt" timestamptz, "refreshTokenExpiresAt" timestamptz, "scope" text, "password" text,
        "createdAt" timestamptz default CURRENT_TIMESTAMP not null, "updatedAt" timestamptz not null);
    CREATE TABLE "verification" ("id" text not null primary key, "identifier" text not null, "value" text not null,
        "expiresAt" timestamptz not null, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
        "updatedAt" timestamptz default CURRENT_TIMESTAMP not null);"#;

const INDEXES: &str = r#"
    ALTER TABLE "user" ADD UNIQUE ("email");
    ALTER TABLE "session" ADD UNIQUE ("token"), ADD FOREIGN KEY ("userId") REFERENCES "user" ("id") ON DELETE CASCADE;
    CREATE INDEX "session_userId_idx" ON "session" ("userId");"#;

/// A query for user and session by email, like the library's. Used by pgbench and as the reference
/// round trip for latencies.
pub(crate) const JOINED: &str = r#"SELECT u."id", u."email", u."name", u."image", u."role", u."emailVerified", u."banned",
    extract(epoch FROM u."banExpires"), s."id", s."token", extract(epoch FROM s."expiresAt"), s."createdAt"
    FROM "user" u LEFT JOIN LATERAL (SELECT * FROM "session" s WHERE s."userId" = u."id" AND s."expiresAt" > now()
        ORDER BY s."createdAt" DESC, s."id" LIMIT 1) s ON true
    WHERE u."email" = $1"#;

/// A server for all databases of a run.
pub(crate) async fn cluster() -> OwnCluster {
    let settings = [
        ("shared_buffers", "512MB"),
        ("maintenance_work_mem", "256MB"),
        ("max_wal_size", "4GB"),
        // Avoid background work during measurements.
        ("autovacuum", "off"),
        ("checkpoint_timeout", "1h"),
    ];
    let extra = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    OwnCluster::start(ClusterOptions {
        extra: extra.into(),
        max_connections: 300,
        ..ClusterOptions::default()
    })
    .await
}

/// Creates a database with users `1..=users` and the given number of sessions for each.
pub(crate) async fn with_users(
    cluster: &OwnCluster,
    users: usize,
    sessions: usize,
) -> Result<Database, Error> {
    let database = cluster.create_database().await;
    database.execute(TABLES).await;
    let rows = format!(
        r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "role", "banned")
            SELECT 'usr_' || n, 'User ' || n, 'user' || n || '@example.com', true, 'user', false
            FROM generate_series(1, {users}) n;
        INSERT INTO "session" ("id", "expiresAt", "token", "ipAddress", "userAgent", "userId")
            SELECT 'ses_' || n || '_' || k, now() + interval '7 days' + k * interval '1 second',
                lpad(n::text, 27, 't') || lpad(k::text, 5, '0'), '127.0.0.1', 'bench', 'usr_' || n
            FROM generate_series(1, {users}) n, generate_series(1, {sessions}) k;"#
    );
    for sql in [&*rows, INDEXES, "VACUUM (ANALYZE)"] {
        database.execute(sql).await;
    }
    Ok(database)
}

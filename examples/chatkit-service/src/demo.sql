-- Better Auth's tables in SQLite, with one user and one session.
CREATE TABLE "user" ("id" text not null primary key, "name" text not null,
    "email" text not null unique, "emailVerified" integer not null, "image" text,
    "createdAt" date not null, "updatedAt" date not null);
CREATE TABLE "session" ("id" text not null primary key, "expiresAt" date not null,
    "token" text not null unique, "createdAt" date not null, "updatedAt" date not null,
    "ipAddress" text, "userAgent" text,
    "userId" text not null references "user" ("id") on delete cascade);
CREATE INDEX "session_userId_idx" on "session" ("userId");

INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
    SELECT 'demo-user', 'Demo', 'demo@example.com', 1, "now", "now"
    FROM (SELECT strftime('%Y-%m-%dT%H:%M:%fZ') AS "now");
INSERT INTO "session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "userId")
    SELECT 'demo-session', strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+7 days'),
        hex(randomblob(16)), "now", "now", 'demo-user'
    FROM (SELECT strftime('%Y-%m-%dT%H:%M:%fZ') AS "now");

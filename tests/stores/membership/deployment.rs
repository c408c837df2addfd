//! The deployments of the suite: each kind of store with Better Auth's tables.

use cluster::{Database, cluster};
use support::prelude::*;

/// The changes that Better Auth's organization plugin makes.
pub(crate) trait Deployment: Sized {
    /// The users `usr_ada` and `usr_eve` without memberships.
    async fn new() -> Self;
    /// The store for this deployment.
    fn store(&self) -> Arc<impl MembershipStore>;
    /// Adds a member.
    async fn insert(&self, user_id: &str, organization_id: &str, role: &str);
    /// Changes the role of a member.
    async fn change(&self, user_id: &str, organization_id: &str, role: &str);
    /// Removes a member.
    async fn remove(&self, user_id: &str, organization_id: &str);
    /// Deletes a user.
    async fn remove_user(&self, user_id: &str);
}

pub(crate) struct Memory(Arc<MemoryStore>);

impl Deployment for Memory {
    async fn new() -> Self {
        let store = MemoryStore::new();
        for id in ["usr_ada", "usr_eve"] {
            store.insert_user(User::new(id, format!("{id}@example.com")));
        }
        Self(Arc::new(store))
    }

    fn store(&self) -> Arc<impl MembershipStore> {
        Arc::clone(&self.0)
    }

    async fn insert(&self, user_id: &str, organization_id: &str, role: &str) {
        let member = Member::new(user_id, organization_id).with_role(role);
        self.0.insert_member(member);
    }

    async fn change(&self, user_id: &str, organization_id: &str, role: &str) {
        self.insert(user_id, organization_id, role).await;
    }

    async fn remove(&self, user_id: &str, organization_id: &str) {
        self.0.remove_member(user_id, organization_id);
    }

    async fn remove_user(&self, user_id: &str) {
        self.0.remove_user(user_id);
    }
}

/// The tables for SQLite and PostgreSQL.
const TABLES: &str = r#"
    CREATE TABLE "user" ("id" text PRIMARY KEY, "email" text);
    CREATE TABLE "session" ("id" text, "userId" text, "expiresAt" timestamp);
    CREATE TABLE "member" ("id" text, "organizationId" text NOT NULL,
        "userId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE, "role" text NOT NULL, "createdAt" timestamp);
    CREATE INDEX "member_organizationId_idx" ON "member" ("organizationId");
    CREATE INDEX "member_userId_idx" ON "member" ("userId");
    INSERT INTO "user" VALUES ('usr_ada', 'usr_ada@example.com'), ('usr_eve', 'usr_eve@example.com');
"#;

fn insert(user_id: &str, organization_id: &str, role: &str) -> String {
    format!(
        r#"INSERT INTO "member" ("userId", "organizationId", "role") VALUES ('{user_id}', '{organization_id}', '{role}')"#
    )
}

fn change(user_id: &str, organization_id: &str, role: &str) -> String {
    format!(
        r#"UPDATE "member" SET "role" = '{role}' WHERE "userId" = '{user_id}' AND "organizationId" = '{organization_id}'"#
    )
}

fn remove(user_id: &str, organization_id: &str) -> String {
    format!(
        r#"DELETE FROM "member" WHERE "userId" = '{user_id}' AND "organizationId" = '{organization_id}'"#
    )
}

fn remove_user(user_id: &str) -> String {
    format!(r#"DELETE FROM "user" WHERE "id" = '{user_id}'"#)
}

pub(crate) struct Sqlite {
    database: rusqlite::Connection,
    store: Arc<SqliteStore>,
    _folder: TemporaryFolder,
}

impl Sqlite {
    fn execute(&self, sql: &str) {
        self.database.execute_batch(sql).unwrap();
    }
}

impl Deployment for Sqlite {
    async fn new() -> Self {
        let folder = TemporaryFolder::new();
        let path = folder.path().join("auth.sqlite");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.pragma_update(None, "foreign_keys", true).unwrap();
        database.execute_batch(TABLES).unwrap();
        Self { database, store: Arc::new(SqliteStore::open(path).unwrap()), _folder: folder }
    }

    fn store(&self) -> Arc<impl MembershipStore> {
        Arc::clone(&self.store)
    }

    async fn insert(&self, user_id: &str, organization_id: &str, role: &str) {
        self.execute(&insert(user_id, organization_id, role));
    }

    async fn change(&self, user_id: &str, organization_id: &str, role: &str) {
        self.execute(&change(user_id, organization_id, role));
    }

    async fn remove(&self, user_id: &str, organization_id: &str) {
        self.execute(&remove(user_id, organization_id));
    }

    async fn remove_user(&self, user_id: &str) {
        self.execute(&remove_user(user_id));
    }
}

pub(crate) struct Postgres {
    database: Database,
    store: Arc<PostgresStore>,
}

impl Deployment for Postgres {
    async fn new() -> Self {
        let database = cluster().await.create_database().await;
        database.execute(TABLES).await;
        let store = PostgresStore::builder(database.url()).max_connections(2);
        Self { store: Arc::new(store.connect().await.unwrap()), database }
    }

    fn store(&self) -> Arc<impl MembershipStore> {
        Arc::clone(&self.store)
    }

    async fn insert(&self, user_id: &str, organization_id: &str, role: &str) {
        let sql = insert(user_id, organization_id, role);
        self.database.execute(&sql).await;
    }

    async fn change(&self, user_id: &str, organization_id: &str, role: &str) {
        let sql = change(user_id, organization_id, role);
        self.database.execute(&sql).await;
    }

    async fn remove(&self, user_id: &str, organization_id: &str) {
        self.database.execute(&remove(user_id, organization_id)).await;
    }

    async fn remove_user(&self, user_id: &str) {
        self.database.execute(&remove_user(user_id)).await;
    }
}

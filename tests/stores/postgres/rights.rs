//! Roles with few or no rights.

use cluster::Database;
use support::prelude::*;

use super::fixtures::{
    ADA, ADA_FOUND, Types, ask_for_ada, by_id, by_token, error_for_ada, everything, own_server,
};

/// A database with Ada, and a role that can only connect.
struct Guarded {
    database: Database,
    role: String,
}

impl Guarded {
    async fn new() -> Self {
        let database = own_server().await.create_database().await;
        let role = format!("{}_reader", database.name());
        database.execute(&Types::USUAL.ddl()).await;
        database.execute(&ADA.join(";")).await;
        let role_ddl = format!(
            "CREATE ROLE {role} LOGIN; ALTER ROLE {role} SET default_transaction_read_only TO on;
            ALTER ROLE {role} SET statement_timeout TO '2s'"
        );
        database.execute(&role_ddl).await;
        Self { database, role }
    }

    async fn execute(&self, sql: &str) {
        self.database.execute(&sql.replace("reader", &self.role)).await;
    }

    fn store(&self) -> PostgresStore {
        let url = self.database.url();
        let url = url.replacen("//postgres@", &format!("//{}@", self.role), 1);
        PostgresStore::builder(&url).max_connections(2).build().unwrap()
    }
}

const ENOUGH: &str = r#"
    GRANT SELECT ("id", "email", "banned", "banExpires") ON "user" TO reader;
    GRANT SELECT ("id", "userId", "expiresAt", "impersonatedBy") ON "session" TO reader;
"#;

#[tokio::test]
async fn column_rights_are_enough() {
    let guarded = Guarded::new().await;
    guarded.execute(ENOUGH).await;
    let store = guarded.store();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    assert_eq!(by_id(&store, "usr_ada").await, ADA_FOUND);
    store.ready().await.unwrap();
    // Tokens are secrets: the role may lack the right to read them if the service does not use
    // them.
    assert_eq!(by_token(&store, "tok_ada").await, "failed: unsupported");

    guarded.execute(r#"UPDATE "user" SET "banned" = true"#).await;
    let answer = App::new(store).send(&token_for("ada@example.com")).await;
    answer.assert_rejected("banned", UserBanned);
}

#[tokio::test]
async fn table_rights_are_enough() {
    let guarded = Guarded::new().await;
    guarded.execute(r#"GRANT SELECT ON "user", "session" TO reader"#).await;
    let store = guarded.store();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    assert_eq!(by_token(&store, "tok_ada").await, ADA_FOUND);
    store.ready().await.unwrap();
}

#[tokio::test]
async fn unreadable_ban_is_an_error() {
    for (table, column) in [
        ("user", "id"),
        ("user", "email"),
        ("user", "banned"),
        ("user", "banExpires"),
        ("session", "id"),
        ("session", "userId"),
        ("session", "expiresAt"),
        ("session", "impersonatedBy"),
    ] {
        let guarded = Guarded::new().await;
        guarded.execute(ENOUGH).await;
        let revoke = format!(r#"REVOKE SELECT ("{column}") ON "{table}" FROM reader"#);
        guarded.execute(&revoke).await;
        let store = guarded.store();
        let error = error_for_ada(&store).await;
        assert_eq!(error.kind(), StoreErrorKind::Schema, "{column}");
        let text = everything(&error);
        assert!(text.contains(&format!(r#"column "{column}" of "{table}""#)), "{text}");
        assert!(text.contains("GRANT SELECT"), "{text}");
        store.ready().await.unwrap_err();
    }
}

#[tokio::test]
async fn missing_rights_are_an_error() {
    let guarded = Guarded::new().await;
    let store = guarded.store();
    let app = App::new(store.clone());
    for deed in [
        "SELECT 1",
        // Not even table names are visible.
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    ] {
        guarded.execute(deed).await;
        assert!(["failed: schema", "failed: unavailable"].contains(&&*ask_for_ada(&store).await));
        store.ready().await.unwrap_err();
        app.rejects(&token_for("ada@example.com"), deed, Unavailable).await;
    }
    guarded.execute("GRANT USAGE ON SCHEMA public TO reader").await;
    guarded.execute(ENOUGH).await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
}

#[tokio::test]
async fn revoked_rights_are_noticed() {
    let guarded = Guarded::new().await;
    guarded.execute(r#"GRANT SELECT ON "user", "session" TO reader"#).await;
    let store = guarded.store();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    guarded.execute(r#"REVOKE SELECT ON "user", "session" FROM reader"#).await;
    guarded.execute(ENOUGH).await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND, "without the columns that do not decide");
    guarded.execute(r#"REVOKE SELECT ("banned") ON "user" FROM reader"#).await;
    assert_eq!(ask_for_ada(&store).await, "failed: schema");
}

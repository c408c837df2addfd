//! Better Auth's tables, rows for them, and short texts for results.

use std::error::Error;
use support::prelude::*;

use cluster::{ClusterOptions, Database, OwnCluster, cluster};
use tokio::sync::OnceCell;

/// The column types that differ between deployments.
#[derive(Clone, Copy)]
pub(crate) struct Types {
    pub(crate) user_id: &'static str,
    pub(crate) session_id: &'static str,
    pub(crate) owner: &'static str,
    pub(crate) email: &'static str,
    pub(crate) time: &'static str,
}

impl Types {
    /// The defaults of Better Auth's migrator.
    pub(crate) const USUAL: Self = Self::ids("text");

    /// The same type for all ids.
    pub(crate) const fn ids(id: &'static str) -> Self {
        Self { user_id: id, session_id: id, owner: id, email: "text", time: "timestamptz" }
    }

    /// The two tables with the columns of the admin and organization plugins.
    pub(crate) fn ddl(self) -> String {
        let Self { user_id, session_id, owner, email, time } = self;
        format!(
            r#"CREATE TABLE "user" ("id" {user_id} NOT NULL PRIMARY KEY, "name" text NOT NULL DEFAULT 'somebody',
                "email" {email} NOT NULL, "emailVerified" boolean NOT NULL DEFAULT false, "image" text, "role" text,
                "banned" boolean, "banReason" text, "banExpires" {time});
            CREATE TABLE "session" ("id" {session_id} NOT NULL PRIMARY KEY, "expiresAt" {time} NOT NULL,
                "token" text NOT NULL UNIQUE, "createdAt" timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
                "userId" {owner} NOT NULL, "impersonatedBy" text, "activeOrganizationId" text);
            CREATE INDEX "session_userId_idx" ON "session" ("userId");"#
        )
    }
}

/// An empty database with the usual tables.
pub(crate) async fn usual_tables() -> Database {
    let database = cluster().await.create_database().await;
    database.execute(&Types::USUAL.ddl()).await;
    database
}

/// An empty database with the usual tables, `ada@example.com` (`usr_ada`), and the session
/// `ses_ada` with the token `tok_ada`.
pub(crate) async fn ada() -> Database {
    let database = usual_tables().await;
    database.execute(&ADA.join(";")).await;
    database
}

/// Ada and her session, for existing tables.
pub(crate) const ADA: [&str; 2] = [
    r#"INSERT INTO "user" ("id", "email") VALUES ('usr_ada', 'ada@example.com')"#,
    // An hour after the tests' clock.
    r#"INSERT INTO "session" ("id", "userId", "token", "expiresAt")
        VALUES ('ses_ada', 'usr_ada', 'tok_ada', to_timestamp(1795434242 + 3600))"#,
];

/// The result for Ada.
pub(crate) const ADA_FOUND: &str = "usr_ada ses_ada";

/// A separate server for tests that need a superuser or TCP.
pub(crate) async fn own_server() -> &'static OwnCluster {
    static SERVER: OnceCell<OwnCluster> = OnceCell::const_new();
    SERVER
        .get_or_init(|| {
            OwnCluster::start(ClusterOptions { tcp: true, ..ClusterOptions::default() })
        })
        .await
}

/// `user session`, `no user`, `no session`, or `failed: ` with the kind of the error.
pub(crate) async fn ask(store: &impl UserStore, lookup: Lookup<'_>) -> String {
    match store.resolve(lookup.clone()).await {
        Ok(Resolution::Found { user, session, .. }) => {
            assert!(
                lookup.is_answered_by(&user, &session),
                "{user:?} with {session:?} is no answer"
            );
            format!("{} {}", user.id(), session.id())
        }
        Ok(Resolution::UserNotFound) => "no user".to_owned(),
        Ok(Resolution::NoActiveSession) => "no session".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("failed: {}", error.kind().as_str()),
    }
}

/// By email.
pub(crate) async fn by_email(store: &impl UserStore, address: &str) -> String {
    ask(store, Lookup::by_email(address, now())).await
}

/// By user id.
pub(crate) async fn by_id(store: &PostgresStore, id: &str) -> String {
    ask(store, Lookup::by_user_id(id, now())).await
}

/// By session token.
pub(crate) async fn by_token(store: &PostgresStore, token: &str) -> String {
    let token = SessionToken::new(token);
    ask(store, Lookup::by_session_token(&token, now())).await
}

/// For Ada, by email.
pub(crate) async fn ask_for_ada(store: &impl UserStore) -> String {
    by_email(store, "ada@example.com").await
}

/// The error of a lookup for Ada.
pub(crate) async fn error_for_ada(store: &PostgresStore) -> StoreError {
    match store.resolve(Lookup::by_email("ada@example.com", now())).await {
        Ok(resolution) => panic!("no error but {resolution:?}"),
        Err(error) => error,
    }
}

/// The process ids of the store's connections.
pub(crate) async fn backends(client: &tokio_postgres::Client) -> Vec<i32> {
    let rows = client
        .query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'better-auth-layer' ORDER BY pid",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The `Display` and `Debug` texts of an error and its causes.
pub(crate) fn everything(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("{error}\n{error:?}\n"));
        next = error.source();
    }
    text
}

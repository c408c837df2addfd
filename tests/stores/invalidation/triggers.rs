//! Which changes the triggers announce, on a real PostgreSQL.

use cluster::{Database, cluster};
use support::fixtures::POSTGRES_TABLES;
use support::prelude::*;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls};

/// Ada with two sessions and Eve with one.
pub(crate) const ROWS: &str = r#"
    INSERT INTO "user" ("id", "name", "email", "emailVerified") VALUES
        ('usr_ada', 'Ada', 'ada@example.com', false), ('usr_eve', 'Eve', 'eve@example.com', false);
    INSERT INTO "session" ("id", "userId", "token", "expiresAt") VALUES
        ('ses_ada', 'usr_ada', 'tok_ada', to_timestamp(1795434242 + 3600)),
        ('ses_two', 'usr_ada', 'tok_two', to_timestamp(1795434242 + 1800)),
        ('ses_eve', 'usr_eve', 'tok_eve', to_timestamp(1795434242 + 3600));"#;

/// The usual tables with these rows, without triggers.
pub(crate) async fn tables() -> Database {
    let database = cluster().await.create_database().await;
    database.execute(POSTGRES_TABLES).await;
    database.execute(ROWS).await;
    database
}

pub(crate) fn listener(database: &Database) -> PostgresListenerBuilder {
    PostgresListener::builder(database.url()).heartbeat(Duration::from_millis(50))
}

pub(crate) async fn make_triggers(database: &Database, schema: Schema) {
    let listener = listener(database).schema(schema).build().unwrap();
    let sql = listener.trigger_sql().await.unwrap();
    database.execute(&sql).await;
}

/// Receives the notifications of a database.
struct Notifications {
    said: mpsc::UnboundedReceiver<String>,
    client: Client,
}

impl Notifications {
    async fn of(database: &Database) -> Self {
        let (client, mut connection) =
            tokio_postgres::connect(database.url(), NoTls).await.unwrap();
        let (say, said) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) =
                std::future::poll_fn(|cx| connection.poll_message(cx)).await
            {
                if let AsyncMessage::Notification(heard) = message {
                    let _ = say.send(heard.payload().to_owned());
                }
            }
        });
        client.batch_execute("LISTEN better_auth_layer").await.unwrap();
        Self { said, client }
    }

    /// The notifications of a statement, sorted.
    async fn after(&mut self, statement: &str) -> Vec<String> {
        self.client.batch_execute(statement).await.unwrap();
        // Notifications arrive in the order of their transactions.
        self.client.batch_execute("NOTIFY better_auth_layer, 'end'").await.unwrap();
        let mut said = Vec::new();
        loop {
            match self.said.recv().await.unwrap().as_str() {
                "end" => break,
                other => said.push(other.to_owned()),
            }
        }
        said.sort();
        said
    }
}

#[tokio::test]
async fn only_revocations_are_announced() {
    let database = tables().await;
    database.execute(r#"ALTER TABLE "user" ADD COLUMN "plan" json"#).await;
    make_triggers(&database, Schema::auto().with_user_field("plan")).await;
    let mut notifications = Notifications::of(&database).await;
    let ada = "user:usr_ada";
    for change in [
        r#""email" = 'ada@example.org'"#,
        r#""email" = 'Ada@example.org'"#,
        r#""emailVerified" = true"#,
        r#""name" = 'Ada L.'"#,
        r#""image" = 'ada.png'"#,
        r#""role" = 'admin'"#,
        r#""role" = NULL"#,
        r#""banned" = true"#,
        r#""banExpires" = now()"#,
        r#""banned" = false, "updatedAt" = now()"#,
        r#""plan" = '{"seats": 1}'"#,
    ] {
        let statement = format!(r#"UPDATE "user" SET {change} WHERE "id" = 'usr_ada'"#);
        assert_eq!(notifications.after(&statement).await, [ada], "{change}");
        // The second time it changes nothing.
        let again = statement.replace("now()", r#"coalesce("banExpires", now())"#);
        let again = again
            .replace(r#""updatedAt" = coalesce("banExpires", now())"#, r#""updatedAt" = now()"#);
        assert_eq!(notifications.after(&again).await, [""; 0], "{change} again");
    }
    let session = "session:ses_ada";
    for change in [
        r#""expiresAt" = "expiresAt" - interval '1 microsecond'"#,
        r#""expiresAt" = now() - interval '100 years'"#,
        r#""token" = 'tok_new'"#,
        r#""impersonatedBy" = 'usr_eve'"#,
        r#""activeOrganizationId" = 'org_1'"#,
        r#""activeOrganizationId" = NULL"#,
        r#""userId" = 'usr_eve'"#,
    ] {
        let statement = format!(r#"UPDATE "session" SET {change} WHERE "id" = 'ses_ada'"#);
        assert_eq!(notifications.after(&statement).await, [session], "{change}");
    }
    for statement in [
        r#"UPDATE "user" SET "updatedAt" = now(), "banReason" = 'none'"#,
        r#"UPDATE "session" SET "expiresAt" = "expiresAt" + interval '1 hour', "updatedAt" = now()"#,
        r#"UPDATE "session" SET "ipAddress" = '127.0.0.1', "userAgent" = 'curl', "createdAt" = now()"#,
        r#"INSERT INTO "session" ("id", "userId", "token", "expiresAt") VALUES ('ses_new', 'usr_ada', 'tok', now())"#,
        r#"BEGIN; DELETE FROM "session"; DELETE FROM "user"; ROLLBACK"#,
    ] {
        assert_eq!(notifications.after(statement).await, [""; 0], "{statement}");
    }
    let statement = r#"UPDATE "session" SET "id" = 'ses_other' WHERE "id" = 'ses_new'"#;
    assert_eq!(notifications.after(statement).await, ["session:ses_new"]);
    let statement = r#"DELETE FROM "session" WHERE "id" = 'ses_other'"#;
    assert_eq!(notifications.after(statement).await, ["session:ses_other"]);
    // With the user go the sessions.
    let statement = r#"DELETE FROM "user" WHERE "id" = 'usr_eve'"#;
    assert_eq!(
        notifications.after(statement).await,
        ["session:ses_ada", "session:ses_eve", "user:usr_eve"]
    );
    let statement = r#"TRUNCATE "session""#;
    assert_eq!(notifications.after(statement).await, ["all"]);
    // A long id does not fail the application's statement.
    let statement = r#"
        INSERT INTO "user" ("id", "name", "email", "emailVerified") VALUES (repeat('x', 9000), '', '', false);
        DELETE FROM "user" WHERE "email" = ''"#;
    assert_eq!(notifications.after(statement).await, ["all"]);
}

/// Custom names, other id types, a separate schema, and repeated statements.
#[tokio::test]
async fn triggers_fit_custom_tables() {
    let database = cluster().await.create_database().await;
    database
        .execute(
            r#"CREATE SCHEMA "we""ird";
            CREATE TABLE "we""ird".people ("id" integer PRIMARY KEY, "email" text NOT NULL, "is_banned" boolean);
            CREATE TABLE "we""ird".sessions ("id" uuid PRIMARY KEY, "user_id" integer NOT NULL, "expires_at" bigint);
            INSERT INTO "we""ird".people VALUES (7, 'ada@example.com', false);
            INSERT INTO "we""ird".sessions VALUES ('00000000-0000-0000-0000-000000000001', 7, 1000);"#,
        )
        .await;
    let schema = Schema::auto()
        .with_database_schema("we\"ird")
        .with_user_table("people")
        .with_user_column("banned", "is_banned");
    for _ in 0..2 {
        make_triggers(&database, schema.clone()).await;
    }
    let mut notifications = Notifications::of(&database).await;
    let mut after = async |statement: &str| {
        let statement = statement.replace("SCHEMA", r#""we""ird""#);
        notifications.after(&statement).await
    };
    assert_eq!(after("UPDATE SCHEMA.people SET is_banned = true").await, ["user:7"]);
    assert_eq!(after("UPDATE SCHEMA.sessions SET expires_at = 1001").await, [""; 0]);
    let session = ["session:00000000-0000-0000-0000-000000000001"];
    assert_eq!(after("UPDATE SCHEMA.sessions SET expires_at = 1000").await, session);
    assert_eq!(after("DELETE FROM SCHEMA.sessions").await, session);

    // An error reports missing tables.
    let empty = cluster().await.create_database().await;
    let error = listener(&empty).build().unwrap().trigger_sql().await.unwrap_err();
    let error = with_causes(&error);
    assert!(error.contains("tables were not found"), "{error}");
}

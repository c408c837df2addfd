//! Tables and columns with all kinds of names.

use cluster::{Database, cluster};
use support::prelude::*;

use super::fixtures::{
    ADA, ADA_FOUND, Types, ada, ask_for_ada, by_email, by_id, by_token, error_for_ada, everything,
    own_server,
};

/// Better Auth with Drizzle.
const SNAKE: &str = r#"
    CREATE TABLE "user" ("id" text PRIMARY KEY, "name" text NOT NULL, "email" text NOT NULL UNIQUE,
        "email_verified" boolean NOT NULL, "role" text, "banned" boolean, "ban_expires" timestamp);
    CREATE TABLE "session" ("id" text PRIMARY KEY, "expires_at" timestamp NOT NULL, "token" text NOT NULL UNIQUE,
        "created_at" timestamp NOT NULL, "user_id" text NOT NULL REFERENCES "user" ("id"), "impersonated_by" text,
        "active_organization_id" text);
    INSERT INTO "user" VALUES ('u', 'Ada', 'ada@example.com', true, 'admin', true, to_timestamp(1795434242) AT TIME ZONE 'UTC');
    INSERT INTO "session" VALUES ('s', to_timestamp(1795434243) AT TIME ZONE 'UTC', 't', 'epoch', 'u', 'boss', 'org');
"#;

/// Typical SQLAlchemy tables: plural names, numbers, no token, additional columns.
const SQLALCHEMY: &str = r#"
    CREATE TABLE users (id serial PRIMARY KEY, email varchar(255) NOT NULL UNIQUE, hashed_password varchar NOT NULL,
        is_active boolean NOT NULL DEFAULT true);
    CREATE TABLE sessions (id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id),
        expires_at timestamp without time zone NOT NULL, user_agent varchar);
    INSERT INTO users (email, hashed_password) VALUES ('eve@example.com', ''), ('ada@example.com', '');
    INSERT INTO sessions (user_id, expires_at) VALUES (1, 'epoch'), (2, 'epoch'),
        (2, to_timestamp(1795434242 + 60) AT TIME ZONE 'UTC');
"#;

async fn database(ddl: &str) -> Database {
    let database = cluster().await.create_database().await;
    database.execute(ddl).await;
    database
}

async fn with_schema(database: &Database, schema: Schema) -> PostgresStore {
    let builder = PostgresStore::builder(database.url()).schema(schema);
    builder.max_connections(2).connect().await.unwrap()
}

#[tokio::test]
async fn snake_case_columns_are_read() {
    let database = database(SNAKE).await;
    for schema in [Schema::auto(), Schema::snake()] {
        let store = with_schema(&database, schema).await;
        assert_eq!(by_token(&store, "t").await, "u s");
        let now = now();
        let lookup = Lookup::by_email("ada@example.com", now);
        let resolution = store.resolve(lookup).await.unwrap();
        let Resolution::Found { user, session, .. } = resolution else {
            panic!("{resolution:?}");
        };
        assert_eq!(user.name(), Some("Ada"));
        assert_eq!(user.image(), None);
        assert!(user.email_verified());
        assert_eq!(user.role(), Some("admin"));
        assert!(!user.is_banned_at(now));
        assert!(user.is_banned_at(Timestamp::UNIX_EPOCH));
        assert_eq!(session.expires_at().as_unix_seconds(), NOW + 1);
        assert_eq!(session.created_at().unwrap().as_unix_seconds(), 0);
        assert_eq!(session.impersonated_by(), Some("boss"));
        assert_eq!(session.active_organization_id(), Some("org"));
        assert_eq!(session.token().unwrap().expose(), "t");
    }
    let camel = with_schema(&database, Schema::camel()).await;
    assert_eq!(ask_for_ada(&camel).await, "failed: schema");
}

#[tokio::test]
async fn better_auth_names_are_found() {
    let database = ada().await;
    for schema in [Schema::auto(), Schema::camel()] {
        let store = with_schema(&database, schema).await;
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    }
    let snake = with_schema(&database, Schema::snake()).await;
    assert_eq!(ask_for_ada(&snake).await, "failed: schema");
}

#[tokio::test]
async fn sqlalchemy_tables_are_found() {
    let database = database(SQLALCHEMY).await;
    let store = with_schema(&database, Schema::auto()).await;
    assert_eq!(ask_for_ada(&store).await, "2 3");
    assert_eq!(by_id(&store, "2").await, "2 3");
    assert_eq!(by_id(&store, "1").await, "no session");
    assert_eq!(by_token(&store, "t").await, "failed: unsupported");
}

#[tokio::test]
async fn environment_names_the_tables() {
    let database = database(SQLALCHEMY).await;
    database
        .execute(
            r#"CREATE SCHEMA "Auth.App"; ALTER TABLE users SET SCHEMA "Auth.App"; ALTER TABLE sessions RENAME TO visits;"#,
        )
        .await;
    let environment: Env = [
        ("DATABASE_URL", database.url()),
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_SCHEMA", "snake"),
        ("BETTER_AUTH_USER_TABLE", r#""Auth.App"."users""#),
        ("BETTER_AUTH_SESSION_TABLE", "public.visits"),
    ]
    .into_iter()
    .collect();
    let settings = Config::from_env(&environment).unwrap();
    let store = DatabaseStore::from_config(&settings).await.unwrap();
    assert_eq!(ask_for_ada(&store).await, "2 3");

    let builder = BetterAuthLayer::from_env(&environment).await.unwrap();
    let app = App::of(builder.clock(clock()));
    app.accepts(&token_for("ada@example.com"), "the environment's tables", "2", "3").await;
}

#[tokio::test]
async fn custom_names_are_verbatim() {
    let database = database(
        r#"CREATE TABLE people ("key" text, "Mail ""box""" text, "blocked" boolean);
        CREATE TABLE visits ("key" text, "who" text, "until" timestamptz);
        INSERT INTO people VALUES ('p', 'ada@example.com', true), ('q', 'eve@example.com', false);
        INSERT INTO visits VALUES ('v', 'p', 'infinity'), ('w', 'q', 'infinity')"#,
    )
    .await;
    let schema = Schema::auto()
        .with_user_table("people")
        .with_session_table("visits")
        .with_user_column("id", "key")
        .with_user_column("email", r#"Mail "box""#)
        .with_user_column("banned", "blocked")
        .with_session_column("id", "key")
        .with_session_column("userId", "who")
        .with_session_column("expiresAt", "until");
    let store = with_schema(&database, schema.clone()).await;
    assert_eq!(ask_for_ada(&store).await, "p v");
    let app = App::new(store);
    app.rejects(&token_for("ada@example.com"), "blocked", UserBanned).await;
    app.accepts(&token_for("eve@example.com"), "not blocked", "q", "w").await;

    // A configured ban column must exist. Otherwise banned users would be accepted.
    let schema = schema.with_user_column("banned", "is_blocked");
    let store = with_schema(&database, schema).await;
    let text = everything(&error_for_ada(&store).await);
    assert!(text.contains(r#"column "is_blocked" of "people""#), "{text}");
}

#[tokio::test]
async fn schema_name_is_quoted() {
    let odd = r#"we"ird"; DROP TABLE public.kept; --"#;
    let quoted = odd.replace('"', "\"\"");
    let database = database(&format!(
        r#"CREATE TABLE kept (); CREATE SCHEMA "{quoted}"; SET search_path TO "{quoted}"; {}; {};"#,
        Types::USUAL.ddl(),
        ADA.join(";"),
    ))
    .await;
    let schema = Schema::auto()
        .with_user_table(format!(r#""{quoted}".user"#))
        .with_session_table(format!(r#""{quoted}".session"#));
    let store = with_schema(&database, schema).await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    database.execute("SELECT * FROM public.kept").await;
}

#[tokio::test]
async fn prisma_schema_parameter_is_used() {
    let database = database(&format!(
        r#"{usual} CREATE SCHEMA "app one"; SET search_path TO "app one"; {usual} {ada};"#,
        usual = Types::USUAL.ddl(),
        ada = ADA.join(";"),
    ))
    .await;
    let and = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{and}schema=app%20one&connection_limit=3", database.url());
    for schema in [Schema::auto(), Schema::camel()] {
        let store = PostgresStore::builder(&url).schema(schema);
        let store = store.connect().await.unwrap();
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    }
    // A configured schema is not replaced.
    let public =
        Schema::camel().with_user_table("public.user").with_session_table("public.session");
    let store = PostgresStore::builder(&url).schema(public);
    assert_eq!(ask_for_ada(&store.connect().await.unwrap()).await, "no user");

    let store = PostgresStore::connect(&url.replace("app%20one", "elsewhere")).await;
    let text = everything(&error_for_ada(&store.unwrap()).await);
    assert!(text.contains(r#"table "elsewhere"."user""#), "{text}");
}

#[tokio::test]
async fn views_are_read() {
    let database = database(&format!(
        r#"CREATE SCHEMA hidden; SET search_path TO hidden; {}; {};
        CREATE VIEW public."user" AS SELECT "id", "email" FROM hidden."user" WHERE "email" <> 'eve@example.com';
        CREATE VIEW public."session" AS SELECT "id", "userId", "expiresAt" FROM hidden."session";
        INSERT INTO "user" ("id", "email") VALUES ('usr_eve', 'eve@example.com')"#,
        Types::USUAL.ddl(),
        ADA.join(";"),
    ))
    .await;
    let store = with_schema(&database, Schema::auto()).await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    assert_eq!(by_email(&store, "eve@example.com").await, "no user");
}

#[tokio::test]
async fn search_path_selects_the_table() {
    let database = own_server().await.create_database().await;
    database
        .execute(&format!(
            r#"CREATE SCHEMA app; SET search_path TO app; {}; {}; ALTER ROLE postgres IN DATABASE {} SET search_path TO app"#,
            Types::USUAL.ddl(),
            ADA.join(";"),
            database.name(),
        ))
        .await;
    let store = with_schema(&database, Schema::auto()).await;
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
}

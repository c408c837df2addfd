//! The triggers that notify the listener of changes.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::tables::{COLUMNS, found_tables};
use crate::schema::{Quoted, Schema, TableName};
use crate::sql::{ResolvedSchema, SchemaError, candidate_tables};

/// The channel of the notifications.
pub(super) const CHANNEL: &str = "better_auth_layer";

/// The triggers of each of the two tables.
const TRIGGERS: [&str; 3] = [
    "better_auth_layer_deleted",
    "better_auth_layer_changed",
    "better_auth_layer_truncated",
];

/// The triggers for a database's tables.
///
/// They notify only of changes that can end or change an identity: PostgreSQL commits transactions
/// with notifications one after the other, and most updates of a session extend its expiry. An id
/// that is too long for a notification becomes "all", because a failing notification would fail the
/// application's own statement.
pub(super) struct Triggers {
    sql: String,
    user_table: TableName,
    session_table: TableName,
}

/// Why the triggers are missing, or are unknown.
pub(super) enum Lack {
    Failure(Failure),
    Schema(SchemaError),
    Triggers,
}

impl From<Failure> for Lack {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Triggers {
    /// Finds the tables and writes their triggers.
    pub(super) async fn find(client: &Client, schema: &Schema) -> Result<Self, Lack> {
        let candidates = candidate_tables(schema);
        let names: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        let rows = client
            .query_typed(COLUMNS, &[(&names, Type::TEXT_ARRAY)])
            .await
            .map_err(|error| Failure::of_query(&error))?;
        // Triggers may depend on columns that this role cannot read.
        let found = found_tables(&candidates, &rows).all_readable();
        let resolved = ResolvedSchema::resolve(schema, &found, None).map_err(Lack::Schema)?;
        Ok(Self::of(&resolved))
    }

    fn of(ResolvedSchema { user, session }: &ResolvedSchema) -> Self {
        let user_columns = user.columns().chain(&user.fields);
        let user_changes: Vec<_> = user_columns.map(|column| differs(&column.name)).collect();
        // A later expiry does not end a session, and nothing depends on the time of creation.
        let session_columns = [
            Some(&session.id),
            Some(&session.user_id),
            session.token.as_ref(),
            session.impersonated_by.as_ref(),
            session.active_organization_id.as_ref(),
        ];
        let session_columns = session_columns.into_iter().flatten();
        let mut session_changes: Vec<_> = session_columns
            .map(|column| differs(&column.name))
            .collect();
        let expires_at = Quoted(&session.expires_at.name);
        session_changes.push(format!(
            "new.{expires_at} < old.{expires_at} OR new.{expires_at} IS NULL"
        ));
        let mut sql = String::new();
        on_table(&mut sql, &user.table, "user", &user.id.name, &user_changes);
        on_table(
            &mut sql,
            &session.table,
            "session",
            &session.id.name,
            &session_changes,
        );
        Self {
            sql,
            user_table: user.table.clone(),
            session_table: session.table.clone(),
        }
    }

    /// One transaction that creates or replaces all triggers.
    pub(super) fn sql(&self) -> String {
        let Self {
            user_table,
            session_table,
            ..
        } = self;
        let mut sql = format!(
            "-- Announces to better-auth-layer what changes in {user_table} and {session_table}.\n\
             -- Run it again after a column was added that users or sessions are judged by, and after an update of\n\
             -- better-auth-layer whose log asks for it.\n\
             BEGIN;\n{}",
            self.sql
        );
        let fingerprint = self.fingerprint();
        for table in [user_table, session_table] {
            for trigger in TRIGGERS {
                let _ = writeln!(
                    sql,
                    "COMMENT ON TRIGGER {trigger} ON {table} IS '{fingerprint}';"
                );
            }
        }
        sql.push_str("COMMIT;\n");
        sql
    }

    /// Whether the triggers exist, are enabled, and are those that this version writes for the columns.
    pub(super) async fn check(&self, client: &Client) -> Result<(), Lack> {
        const THERE: &str = "\
            SELECT count(*) FROM pg_catalog.pg_trigger t \
            WHERE t.tgrelid IN (pg_catalog.to_regclass($1), pg_catalog.to_regclass($2)) \
            AND t.tgname = ANY($3) AND t.tgenabled IN ('O', 'A') \
            AND pg_catalog.obj_description(t.oid, 'pg_trigger') = $4";
        let (user_table, session_table) =
            (self.user_table.to_string(), self.session_table.to_string());
        let fingerprint = self.fingerprint();
        let rows = client
            .query_typed(
                THERE,
                &[
                    (&user_table, Type::TEXT),
                    (&session_table, Type::TEXT),
                    (&TRIGGERS.as_slice(), Type::TEXT_ARRAY),
                    (&fingerprint, Type::TEXT),
                ],
            )
            .await
            .map_err(|error| Failure::of_query(&error))?;
        let there: i64 = rows
            .first()
            .and_then(|row| row.try_get(0).ok())
            .unwrap_or_default();
        if there == 2 * TRIGGERS.len() as i64 {
            Ok(())
        } else {
            Err(Lack::Triggers)
        }
    }

    fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, self.sql.as_bytes());
        let hash = hash.as_ref().iter().take(8);
        let mut text = "better-auth-layer ".to_owned();
        for byte in hash {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// Compares as text: some types have no equality, and some compare without regard to case.
fn differs(name: &str) -> String {
    let name = Quoted(name);
    format!("old.{name}::text IS DISTINCT FROM new.{name}::text")
}

fn on_table(sql: &mut String, table: &TableName, what: &str, id: &str, changes: &[String]) {
    let function = |name: &str| {
        let function = TableName::new(format!("better_auth_layer_{name}"));
        match table.schema() {
            Some(schema) => function.in_schema(schema),
            None => function,
        }
    };
    let (one, all) = (function(what), function(&format!("{what}_all")));
    let [deleted, changed, truncated] = TRIGGERS;
    let (id, changes) = (Quoted(id), changes.join("\n    OR "));
    let _ = write!(
        sql,
        "CREATE OR REPLACE FUNCTION {one}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_notify('{CHANNEL}', CASE WHEN octet_length(old.{id}::text) > 1000 THEN 'all'
    ELSE '{what}:' || old.{id}::text END);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION {all}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_notify('{CHANNEL}', 'all');
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS {deleted} ON {table};
CREATE TRIGGER {deleted} AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {one}();
DROP TRIGGER IF EXISTS {changed} ON {table};
CREATE TRIGGER {changed} AFTER UPDATE ON {table} FOR EACH ROW
  WHEN ({changes})
  EXECUTE FUNCTION {one}();
DROP TRIGGER IF EXISTS {truncated} ON {table};
CREATE TRIGGER {truncated} AFTER TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {all}();
"
    );
}

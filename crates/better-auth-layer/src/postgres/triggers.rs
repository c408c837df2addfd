//! The triggers that announce what changes.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::tables::COLUMNS;
use crate::store::sql::{FoundTables, Layout, LayoutError, Quoted, candidate_tables};
use crate::store::{Column, Schema, TableName};

/// Where they announce it.
pub(super) const CHANNEL: &str = "better_auth_layer";

/// On each of the two tables.
const TRIGGERS: [&str; 3] = [
    "better_auth_layer_deleted",
    "better_auth_layer_changed",
    "better_auth_layer_truncated",
];

/// The triggers for a database's tables.
///
/// None of them announces a change that takes nothing away from anybody: transactions that announce something wait for
/// each other, and most updates of a session move its expiry further off. An id that is too long for a notification
/// becomes "all", since an announcement that fails would fail the application's own statement.
pub(super) struct Triggers {
    sql: String,
    user_table: TableName,
    session_table: TableName,
}

/// Why it is not known which triggers there should be, or they are not there.
pub(super) enum Lack {
    Failure(Failure),
    Layout(LayoutError),
    Triggers,
}

impl From<Failure> for Lack {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Triggers {
    /// Finds the tables, and makes the triggers that they should have.
    pub(super) async fn find(client: &Client, schema: &Schema) -> Result<Self, Lack> {
        let candidates: Vec<String> = candidate_tables(schema)
            .iter()
            .map(ToString::to_string)
            .collect();
        let rows = client
            .query_typed(COLUMNS, &[(&candidates, Type::TEXT_ARRAY)])
            .await
            .map_err(|error| Failure::of_query(&error))?;
        let mut found = FoundTables::new();
        for row in &rows {
            let text = |index: usize| row.try_get::<_, String>(index).unwrap_or_default();
            found.entry(text(0)).or_default().insert(text(1), ());
        }
        let layout = Layout::choose(schema, &found, None).map_err(Lack::Layout)?;
        Ok(Self::of(&layout))
    }

    fn of(layout: &Layout<()>) -> Self {
        let mut user_changes = changes(layout, true);
        let fields = layout.user_fields().iter();
        user_changes.extend(fields.map(|(name, ())| differs(name)));
        let mut session_changes = changes(layout, false);
        if let Some(name) = layout.column(Column::SessionExpiresAt) {
            let name = Quoted(name);
            session_changes.push(format!("new.{name} < old.{name} OR new.{name} IS NULL"));
        }
        let id = |column| layout.column(column).unwrap_or("id");
        let mut sql = String::new();
        let (user_table, session_table) = (layout.user_table(), layout.session_table());
        let user_id = id(Column::UserId);
        on_table(&mut sql, user_table, "user", user_id, &user_changes);
        let session_id = id(Column::SessionId);
        on_table(
            &mut sql,
            session_table,
            "session",
            session_id,
            &session_changes,
        );
        Self {
            sql,
            user_table: user_table.clone(),
            session_table: session_table.clone(),
        }
    }

    /// All of it as one transaction that may be run again.
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

    /// Whether they are there, as this version makes them for the columns that there are, and switched on.
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

/// The columns of which any change counts: all that an identity shows or is found by.
fn changes(layout: &Layout<()>, of_user: bool) -> Vec<String> {
    let columns = Column::ALL.iter().filter(|column| {
        column.is_in_user_table() == of_user
            && !matches!(column, Column::SessionExpiresAt | Column::SessionCreatedAt)
    });
    columns
        .filter_map(|column| layout.column(*column))
        .map(differs)
        .collect()
}

/// As text: some types have no equality, and some an equality to which `A` is `a`.
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

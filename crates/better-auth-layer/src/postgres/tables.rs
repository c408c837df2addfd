//! Discovers tables and columns, and caches them.
//!
//! The tables are found at the first lookup, again after the refresh interval, and again after an
//! error that reports a changed schema. Tables in use are preferred over other candidates for as
//! long as they are valid, so that a new table cannot replace them. A statement that needs required
//! columns only (memberships) is found again after an error only.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Row as PgRow;
use tokio_postgres::types::Type;

use super::error::QueryError;
use super::pool::{
    AcquireOptions, Connection, ConnectionSource, LastConnectError, PoolHandle, Retries,
};
use super::query::Text;
use crate::clock::Timestamp;
use crate::identity::Member;
use crate::jwks::KeySet;
use crate::schema::{Schema, TableName};
use crate::sql::{
    self, ApiKeyTable, BatchKey, ColumnType, Dialect, FoundColumn, FoundTables, JwksTable,
    MemberTable, ResolvedSchema, Statements, add_public_key, candidate_tables, membership,
    membership_sql, read_member,
};
use crate::store::{StoreError, StoreErrorKind};

/// One row per column of each candidate table that exists.
pub(super) const COLUMNS: &str = "\
    SELECT number, a.attname::text, t.typname::text, t.typcategory::text, \
    pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'), \
    t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace \
    FROM unnest($1::text[]) WITH ORDINALITY AS candidates (candidate, number) \
    JOIN pg_catalog.pg_class c \
    ON c.oid = pg_catalog.to_regclass(candidate) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    JOIN pg_catalog.pg_type d ON d.oid = a.atttypid \
    JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END";

/// The resolved schema and its statements.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) schema: ResolvedSchema,
    pub(super) statements: Statements,
    pub(super) user_fields: Vec<String>,
}

impl Tables {
    async fn find(
        connection: &Connection,
        schema: &Schema,
        in_use: Option<&Self>,
    ) -> Result<Self, QueryError> {
        let mut candidates = candidate_tables(schema);
        candidates.extend(ApiKeyTable::candidates(schema));
        let found = find_columns(connection, &candidates).await?;
        Ok(Self::resolve(schema, &found, in_use)?)
    }

    fn resolve(
        schema: &Schema,
        found: &FoundTables,
        in_use: Option<&Self>,
    ) -> Result<Self, StoreError> {
        let in_use = in_use.map(|tables| &tables.schema);
        let resolved = ResolvedSchema::resolve(schema, found, in_use)
            .map_err(|error| StoreError::new(StoreErrorKind::Schema, error))?;
        let ResolvedSchema { user, session } = &resolved;
        let times = [
            Some(&session.expires_at),
            session.created_at.as_ref(),
            user.ban_expires.as_ref(),
        ];
        for column in times.into_iter().flatten() {
            if !matches!(column.kind, ColumnType::Timestamp | ColumnType::Number) {
                let cause = format!(
                    "column \"{}\" does not contain times; make it `timestamptz`, `timestamp` (in UTC) or a number",
                    column.name
                );
                return Err(StoreError::new(StoreErrorKind::Schema, cause));
            }
        }
        let api_keys = ApiKeyTable::resolve(schema, found);
        Ok(Self {
            statements: Statements::new(Dialect::Postgres, &resolved, api_keys),
            user_fields: user.field_names(),
            schema: resolved,
        })
    }
}

/// The columns of those tables that exist.
async fn find_columns(
    connection: &Connection,
    candidates: &[TableName],
) -> Result<FoundTables, QueryError> {
    let names: Vec<String> = candidates.iter().map(ToString::to_string).collect();
    let rows = connection
        .query(COLUMNS, &[(&names, Type::TEXT_ARRAY)])
        .await?;
    Ok(found_tables(candidates, &rows))
}

/// The tables in the rows of [`COLUMNS`].
pub(super) fn found_tables(candidates: &[TableName], rows: &[PgRow]) -> FoundTables {
    let mut found = FoundTables::default();
    for row in rows {
        let number: i64 = row.try_get(0).unwrap_or_default();
        let index = usize::try_from(number - 1).ok();
        let Some(table) = index.and_then(|index| candidates.get(index)) else {
            continue;
        };
        let text = |index: usize| row.try_get::<_, String>(index).unwrap_or_default();
        let column = FoundColumn {
            kind: ColumnType::of(&text(2), &text(3)),
            is_readable: row.try_get(4).unwrap_or(false),
            batch_key: match row.try_get(5) {
                Ok(true) => BatchKey::of(&text(2)),
                _ => None,
            },
        };
        found.insert(table, text(1), column);
    }
    found
}

/// Caches the tables of the lookups.
pub(super) struct KnownTables {
    schema: Schema,
    refresh_interval: Duration,
    /// Never locked across an await.
    known: RwLock<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    tables: Arc<Tables>,
    since: Timestamp,
    /// Whether the last attempt to find the tables failed.
    are_gone: bool,
}

/// The earliest and the latest time of the lookups in a batch.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
}

impl KnownTables {
    pub(super) fn new(schema: Schema, refresh_interval: Duration) -> Self {
        Self {
            schema,
            refresh_interval,
            known: RwLock::new(None),
        }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns the known tables, or finds them if they are missing, older than the refresh interval
    /// or `outdated`. Without times the age does not matter.
    pub(super) async fn get(
        &self,
        connection: &Connection,
        times: Option<Times>,
        outdated: Option<&Arc<Tables>>,
    ) -> Result<Arc<Tables>, QueryError> {
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = &known
            && !known.are_gone
            // Another task may have replaced the outdated tables.
            && outdated.is_none_or(|outdated| !Arc::ptr_eq(outdated, &known.tables))
            && times.is_none_or(|times| self.is_fresh(known.since, times))
        {
            return Ok(Arc::clone(&known.tables));
        }
        let in_use = known.as_ref().map(|known| &*known.tables);
        let found = match Tables::find(connection, &self.schema, in_use).await {
            Ok(tables) => Ok(Arc::new(tables)),
            Err(QueryError::Store(error)) => Err(error),
            Err(error) => return Err(error),
        };
        connection.clear_prepared_statements();
        let known = match (&found, known) {
            (Ok(tables), _) => Some(Known {
                tables: Arc::clone(tables),
                // Without a time the tables are found again at the next lookup.
                since: times.map_or(Timestamp::UNIX_EPOCH, |times| times.latest),
                are_gone: false,
            }),
            // The known tables are kept, so that they take precedence when they exist again.
            (Err(_), known) => known.map(|known| Known {
                are_gone: true,
                ..known
            }),
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(found?)
    }

    /// A clock that was set back must not keep an old entry fresh.
    fn is_fresh(&self, since: Timestamp, Times { earliest, latest }: Times) -> bool {
        since.abs_diff(earliest) < self.refresh_interval
            && since.abs_diff(latest) < self.refresh_interval
    }
}

/// Looks up memberships on connections of the store's pool.
pub(super) struct Members {
    pool: Arc<PoolHandle>,
    schema: Schema,
    query_timeout: Duration,
    /// Never locked across an await.
    statement: RwLock<Option<Arc<MemberStatement>>>,
}

impl Members {
    pub(super) fn new(pool: Arc<PoolHandle>, schema: Schema, query_timeout: Duration) -> Self {
        Self {
            pool,
            schema,
            query_timeout,
            statement: RwLock::new(None),
        }
    }

    pub(super) async fn find(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        let last_error = LastConnectError::default();
        let deadline = Instant::now() + self.query_timeout;
        let options = AcquireOptions {
            pool: &self.pool,
            source: ConnectionSource::Pool,
            deadline,
            opened_after: None,
            last_error: &last_error,
        };
        let lookup = async {
            let mut retries = Retries::new(options);
            loop {
                let connection = retries.acquire().await?;
                let discovered = &mut retries.discovered;
                let member = async {
                    let outdated = discovered.outdated.as_ref();
                    let statement = self.statement(&connection, outdated).await?;
                    let statement = discovered.used.insert(statement);
                    statement.run(&connection, [user_id, organization_id]).await
                };
                let member = member.await;
                if let Some(member) = retries.finish(connection, member) {
                    return member;
                }
            }
        };
        let result = tokio::time::timeout_at(deadline, lookup).await;
        result.unwrap_or_else(|_| Err(last_error.timeout()))
    }

    /// Returns the known statement, or one for the current table if the known one is `outdated`.
    async fn statement(
        &self,
        connection: &Connection,
        outdated: Option<&Arc<MemberStatement>>,
    ) -> Result<Arc<MemberStatement>, QueryError> {
        let known = self
            .statement
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = known
            // Another task may have replaced the outdated statement.
            && outdated.is_none_or(|outdated| !Arc::ptr_eq(outdated, &known))
        {
            return Ok(known);
        }
        let candidates = MemberTable::candidates(&self.schema);
        let found = find_columns(connection, &candidates).await?;
        let table = MemberTable::resolve(&self.schema, &found);
        let statement = table.map(|table| Arc::new(MemberStatement::new(&table)));
        *self
            .statement
            .write()
            .unwrap_or_else(PoisonError::into_inner) = statement.as_ref().ok().cloned();
        Ok(statement?)
    }
}

#[derive(Debug)]
struct MemberStatement {
    sql: String,
    /// Whether the server converts one of the ids to another type than text.
    converts: bool,
}

impl MemberStatement {
    fn new(table: &MemberTable) -> Self {
        let keys = [&table.user_id, &table.organization_id];
        Self {
            sql: membership_sql(Dialect::Postgres, table),
            converts: keys.iter().any(|key| key.kind != ColumnType::Text),
        }
    }

    async fn run(
        &self,
        connection: &Connection,
        [user_id, organization_id]: [&str; 2],
    ) -> Result<Option<Member>, QueryError> {
        let keys = [Text(user_id), Text(organization_id)];
        let parameters = keys.each_ref().map(Text::parameter);
        match connection.query(&self.sql, &parameters).await {
            Ok(rows) => {
                let members = rows
                    .iter()
                    .map(read_member)
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(membership(members, user_id, organization_id)?)
            }
            // No row can have this id.
            Err(QueryError::InvalidText) => Ok(None),
            Err(QueryError::InvalidValue(_)) if self.converts => Ok(None),
            // Every text is valid for a text column, so the column has another type now, or a view
            // has failed.
            Err(QueryError::InvalidValue(error)) => Err(QueryError::SchemaChanged(error)),
            Err(error) => Err(error),
        }
    }
}

/// The public keys that are valid at a time, or whose grace period has not ended.
pub(super) async fn public_keys(
    connection: &Connection,
    schema: &Schema,
    now: Timestamp,
    grace_period: Duration,
) -> Result<KeySet, QueryError> {
    let found = find_columns(connection, &JwksTable::candidates(schema)).await?;
    let table = JwksTable::resolve(schema, &found)?;
    let statement = sql::public_keys(Dialect::Postgres, &table);
    let rows = connection.query(&statement, &[]).await?;
    let mut keys = KeySet::default();
    for row in &rows {
        add_public_key(&mut keys, row, now, grace_period)?;
    }
    Ok(keys)
}

//! Membership lookups.
//!
//! All columns that the statement reads are required, so the table is looked for once, and again
//! only after an error that says that it changed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::access::Access;
use super::connections::{Connection, Terms};
use super::failure::Failure;
use super::last_refusal::LastRefusal;
use super::parameters::Text;
use super::tables::find_columns;
use crate::identity::Member;
use crate::schema::Schema;
use crate::sql::{ColumnType, Dialect, MemberTable, membership, membership_sql, read_member};
use crate::store::StoreError;

/// Looks up memberships on the store's connections.
pub(super) struct Members {
    access: Arc<Access>,
    schema: Schema,
    deadline: Duration,
    /// Never locked across an await.
    statement: RwLock<Option<Arc<Statement>>>,
}

impl Members {
    pub(super) fn new(access: Arc<Access>, schema: Schema, deadline: Duration) -> Self {
        Self {
            access,
            schema,
            deadline,
            statement: RwLock::new(None),
        }
    }

    pub(super) async fn find(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        let last_refusal = LastRefusal::default();
        let until = Instant::now() + self.deadline;
        let attempt = self.attempt([user_id, organization_id], until, &last_refusal);
        let outcome = tokio::time::timeout_at(until, attempt).await;
        outcome.unwrap_or_else(|_| Err(last_refusal.timeout()))
    }

    /// Retries once on a new connection if the first one broke, and once if the table has changed.
    async fn attempt(
        &self,
        ids: [&str; 2],
        until: Instant,
        last_refusal: &LastRefusal,
    ) -> Result<Option<Member>, StoreError> {
        let mut terms = Terms {
            access: &self.access,
            until,
            broken: None,
        };
        let mut outdated = None;
        loop {
            let connection = Connection::acquire(terms, last_refusal).await?;
            let mut used = None;
            let answer = async {
                match self.statement(&connection, outdated.as_ref()).await? {
                    Ok(statement) => used.insert(statement).run(&connection, ids).await,
                    Err(error) => Ok(Err(error)),
                }
            };
            let failure = match answer.await {
                Ok(answer) => return answer,
                Err(failure) => failure,
            };
            if matches!(failure, Failure::Dead(_)) {
                connection.discard();
            }
            match failure {
                Failure::Dead(_) if terms.broken.is_none() => {
                    terms.broken = Some(std::time::Instant::now());
                }
                Failure::SchemaChanged(_) if outdated.is_none() && used.is_some() => {
                    outdated = used;
                }
                failure => return Err(failure.into()),
            }
        }
    }

    /// The known statement, or one for the current table if the known one is `outdated`.
    async fn statement(
        &self,
        connection: &Connection,
        outdated: Option<&Arc<Statement>>,
    ) -> Result<Result<Arc<Statement>, StoreError>, Failure> {
        let known = self
            .statement
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = known
            // Another task may have found the new one.
            && outdated.is_none_or(|outdated| !Arc::ptr_eq(outdated, &known))
        {
            return Ok(Ok(known));
        }
        let candidates = MemberTable::candidates(&self.schema);
        let found = find_columns(connection, &candidates).await?;
        let table = MemberTable::resolve(&self.schema, &found);
        let statement = table.map(|table| Arc::new(Statement::new(&table)));
        *self
            .statement
            .write()
            .unwrap_or_else(PoisonError::into_inner) = statement.as_ref().ok().cloned();
        Ok(statement)
    }
}

/// The statement for one table.
#[derive(Debug)]
struct Statement {
    sql: String,
    /// Whether the server converts an id to another type than text.
    converts: bool,
}

impl Statement {
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
    ) -> Result<Result<Option<Member>, StoreError>, Failure> {
        let keys = [Text(user_id), Text(organization_id)];
        match connection
            .query(&self.sql, &keys.each_ref().map(Text::parameter))
            .await
        {
            Ok(rows) => Ok(rows
                .iter()
                .map(read_member)
                .collect::<Result<Vec<_>, _>>()
                .and_then(|members| membership(members, user_id, organization_id))),
            // No row can have this id.
            Err(Failure::BadText) => Ok(Ok(None)),
            Err(Failure::BadValue(_)) if self.converts => Ok(Ok(None)),
            // A text column accepts every text, so the column has another type now, or a view that
            // is read has failed.
            Err(Failure::BadValue(error)) => Err(Failure::SchemaChanged(error)),
            Err(failure) => Err(failure),
        }
    }
}

//! Memberships in organizations.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::access::Access;
use super::column_type::{ColumnType, FoundColumn};
use super::connections::{Connection, Terms};
use super::failure::Failure;
use super::last_refusal::LastRefusal;
use super::parameters::Text;
use super::tables::{choose_side_table, find_columns};
use crate::identity::Member;
use crate::store::sql::{MemberColumn, Quoted, SideTable, member_answer, no_members, read_member};
use crate::store::{Schema, StoreError};

/// Asks for memberships on the store's connections.
pub(super) struct Members {
    access: Arc<Access>,
    schema: Schema,
    deadline: Duration,
    /// For the table as it was found. Every column that is read is required, so an error says when it has changed.
    /// Never locked across a wait: readers take the pointer and go.
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

    /// Asks; once more on a new connection where the first one broke, and once more of the table as it is by now.
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
                    Ok(statement) => used.insert(statement).ask(&connection, ids).await,
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

    /// The statement for the table as it is known, or found anew where it turned out to be `outdated`.
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
            // Somebody else may have found it anew meanwhile.
            && outdated.is_none_or(|outdated| !Arc::ptr_eq(outdated, &known))
        {
            return Ok(Ok(known));
        }
        let tables = MemberColumn::tables(&self.schema);
        let found = find_columns(connection, &tables).await?;
        let table = choose_side_table(&tables, &MemberColumn::NAMES, &found);
        let statement = table.map(|table| Arc::new(Statement::new(&table)));
        *self
            .statement
            .write()
            .unwrap_or_else(PoisonError::into_inner) = statement.as_ref().ok().cloned();
        Ok(statement.map_err(|lack| no_members(&lack)))
    }
}

/// The statement for one table, written once.
#[derive(Debug)]
struct Statement {
    /// `$1` the user's id, `$2` the organization's. Rows: the columns in the order of [`MemberColumn::ALL`].
    sql: String,
    /// Whether the server makes something else than text of an id.
    converts: bool,
}

impl Statement {
    fn new(table: &SideTable<FoundColumn>) -> Self {
        let column = |column: MemberColumn| table.column(column as usize);
        let name = |of| {
            let name = column(of).map(|(name, _)| format!("m.{}", Quoted(name)));
            name.unwrap_or_default()
        };
        let is_text = |of| column(of).is_some_and(|(_, found)| found.kind == ColumnType::Text);
        // Compared with the column's own operator, for its index, and returned letter for letter.
        let columns = MemberColumn::ALL.map(|of| format!("{}::text COLLATE \"C\"", name(of)));
        Self {
            sql: format!(
                "SELECT DISTINCT {} FROM {} m WHERE {} = $1 AND {} = $2",
                columns.join(", "),
                table.table(),
                name(MemberColumn::UserId),
                name(MemberColumn::OrganizationId),
            ),
            converts: !is_text(MemberColumn::UserId) || !is_text(MemberColumn::OrganizationId),
        }
    }

    async fn ask(
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
                .and_then(|members| member_answer(members, user_id, organization_id))),
            // Nobody and nothing can have this id.
            Err(Failure::BadText) => Ok(Ok(None)),
            Err(Failure::BadValue(_)) if self.converts => Ok(Ok(None)),
            // Text is converted to text without fail: a column has another type by now, or what failed is something
            // behind a view.
            Err(Failure::BadValue(error)) => Err(Failure::SchemaChanged(error)),
            Err(failure) => Err(failure),
        }
    }
}

//! Better Auth's `member` table.

use super::row::{Columns, Row};
use super::table::{Column, FoundTables, candidates};
use crate::identity::Member;
use crate::schema::{Schema, TableName};
use crate::store::{StoreError, StoreErrorKind};

/// The table, with its columns in the order in which the statement selects them.
#[derive(Debug)]
pub(crate) struct MemberTable {
    pub(crate) table: TableName,
    pub(crate) user_id: Column,
    pub(crate) organization_id: Column,
    pub(crate) role: Column,
}

impl MemberTable {
    pub(crate) fn candidates(schema: &Schema) -> Vec<TableName> {
        candidates(schema, schema.member_table.as_ref(), ["member", "members"])
    }

    pub(crate) fn resolve(schema: &Schema, found: &FoundTables) -> Result<Self, StoreError> {
        Self::pick(schema, found).map_err(|problem| {
            let cause = format!(
                "memberships are read from Better Auth's table `member` (organization plugin) or the table set with `Schema::with_member_table`: {problem}"
            );
            StoreError::new(StoreErrorKind::Schema, cause)
        })
    }

    fn pick(schema: &Schema, found: &FoundTables) -> Result<Self, String> {
        let candidates = Self::candidates(schema);
        let mut columns = found.first_picker(&candidates)?;
        let user_id = columns.required(&["userId", "user_id"]);
        let organization_id = columns.required(&["organizationId", "organization_id"]);
        let role = columns.required(&["role"]);
        let (Some(user_id), Some(organization_id), Some(role)) = (user_id, organization_id, role)
        else {
            return Err(columns.problem());
        };
        columns.check()?;
        Ok(Self {
            table: columns.table(),
            user_id,
            organization_id,
            role,
        })
    }
}

/// Reads a row of the membership statement.
pub(crate) fn read_member<R: Row>(row: &R) -> Result<Member, R::Error> {
    let mut columns = Columns::of(row);
    let user_id = columns.text()?.unwrap_or_default();
    let organization_id = columns.text()?.unwrap_or_default();
    let member = Member::new(user_id, organization_id);
    Ok(match columns.text()? {
        Some(role) => member.with_role(role),
        None => member,
    })
}

/// The membership among the rows of the statement.
///
/// A row counts only if its ids are exactly those of the lookup. The table has no constraint
/// against a second membership with another role; which one applies is then unknown.
pub(crate) fn membership(
    rows: impl IntoIterator<Item = Member>,
    user_id: &str,
    organization_id: &str,
) -> Result<Option<Member>, StoreError> {
    let mut members = rows
        .into_iter()
        .filter(|member| member.is_of(user_id, organization_id));
    let member = members.next();
    if members.next().is_some() {
        let cause = "the user has two memberships in the organization, with different roles";
        return Err(StoreError::new(StoreErrorKind::WrongAnswer, cause));
    }
    Ok(member)
}

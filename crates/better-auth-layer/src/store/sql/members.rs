//! Better Auth's `member` table.

use super::{Record, SideColumn};
use crate::identity::Member;
use crate::store::schema::{Schema, TableName};
use crate::store::{StoreError, StoreErrorKind};

/// The columns of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum MemberColumn {
    UserId,
    OrganizationId,
    Role,
}

impl MemberColumn {
    pub(crate) const ALL: [Self; 3] = [Self::UserId, Self::OrganizationId, Self::Role];

    /// Their names, in the order of [`ALL`](Self::ALL).
    pub(crate) const NAMES: [SideColumn; 3] = [
        SideColumn::required(&["userId", "user_id"]),
        SideColumn::required(&["organizationId", "organization_id"]),
        SideColumn::required(&["role"]),
    ];

    /// The tables that may hold them.
    pub(crate) fn tables(schema: &Schema) -> Vec<TableName> {
        super::layout::tables(schema, schema.member_table(), ["member", "members"])
    }
}

/// What is missing, and what would have it there.
pub(crate) fn no_members(lack: &str) -> StoreError {
    let cause = format!(
        "memberships are read from the table `member` that the migrations of Better Auth's organization plugin make, or the one that `Schema::with_member_table` names: {lack}"
    );
    StoreError::new(StoreErrorKind::Schema, cause)
}

/// Reads a membership whose columns are a row.
pub(crate) fn read_member<R: Record>(record: &R) -> Result<Member, R::Error> {
    let text = |column: MemberColumn| record.text_at(column as usize);
    let user_id = text(MemberColumn::UserId)?.unwrap_or_default();
    let organization_id = text(MemberColumn::OrganizationId)?.unwrap_or_default();
    let member = Member::new(user_id, organization_id);
    Ok(match text(MemberColumn::Role)? {
        Some(role) => member.with_role(role),
        None => member,
    })
}

/// Finds the answer among the rows of the statement.
///
/// As with users, what is not literally what was asked for is not it, whatever the database takes for equal. Nothing
/// but Better Auth's own care keeps a user from being in an organization twice; with which roles is then not known.
pub(crate) fn member_answer(
    rows: impl IntoIterator<Item = Member>,
    user_id: &str,
    organization_id: &str,
) -> Result<Option<Member>, StoreError> {
    let mut members = rows
        .into_iter()
        .filter(|member| member.is_answer_to(user_id, organization_id));
    let member = members.next();
    if members.next().is_some() {
        let cause = "a user is a member of an organization twice, with different roles";
        return Err(StoreError::new(StoreErrorKind::WrongAnswer, cause));
    }
    Ok(member)
}

//! A page for members of the session's active organization.

use better_auth_layer::organization::Member;

/// The layer on the route looks up the membership, so former members are rejected.
pub(crate) async fn show(member: Member) -> String {
    let role = member.role().unwrap_or("member");
    format!(
        "{} works for {} as {role}\n",
        member.user_id(),
        member.organization_id()
    )
}

//! For members of the organization that is active in the session.

use better_auth_layer::organization::Member;

/// The layer around the route has asked the store: somebody who has left does not come here.
pub(crate) async fn show(member: Member) -> String {
    let role = member.role().unwrap_or("nobody in particular");
    format!(
        "{} works for {} as {role}\n",
        member.user_id(),
        member.organization_id()
    )
}

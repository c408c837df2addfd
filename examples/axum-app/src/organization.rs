//! For members: a policy of the application's own, as an extractor.

use better_auth_layer::{Identity, authorize::Policy, axum::Authorized};

/// The sender has chosen an organization in this session.
///
/// Better Auth lets only its members do that, but does not take it back in every session of somebody who leaves: before
/// something that matters ask its table `member`.
#[derive(Default)]
pub(crate) struct InOrganization;

impl Policy for InOrganization {
    fn allows(&self, identity: &Identity) -> bool {
        organization_id(identity).is_some()
    }
}

pub(crate) async fn show(Authorized(identity, _): Authorized<InOrganization>) -> String {
    let id = organization_id(&identity).unwrap_or_default();
    format!("{} works for {id}\n", identity.user().id())
}

/// `None` also for a credential that does not say which session it is of: a user may work for one organization in one
/// browser and for another one in the next.
fn organization_id(identity: &Identity) -> Option<&str> {
    let session = identity.session().filter(|_| identity.names_session());
    session?.active_organization_id()
}

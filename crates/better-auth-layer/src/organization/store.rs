//! The trait of stores that look up memberships, and its implementation for stores of other modules.

use std::sync::Arc;

use crate::cache::CachedStore;
use crate::identity::Member;
use crate::store::MemoryStore;
use crate::store::{StoreError, UserStore};

/// Looks up memberships in organizations (Better Auth's organization plugin). The stores of this crate
/// implement it in addition to [`UserStore`](crate::UserStore).
///
/// The session's [`active_organization_id`](crate::Session::active_organization_id) is the
/// organization in which the user works. It does not prove that the user is still a member, and has no
/// roles. A membership does:
///
/// ```
/// use better_auth_layer::StoreError;
/// use better_auth_layer::organization::{Member, MembershipStore};
///
/// async fn may_invite(
///     store: &impl MembershipStore,
///     user_id: &str,
///     organization_id: &str,
/// ) -> Result<bool, StoreError> {
///     let member = store.member(user_id, organization_id).await?;
///     Ok(member.is_some_and(|member| member.has_role("owner") || member.has_role("admin")))
/// }
/// ```
///
/// `Ok(None)` means that the user is not a member, whether or not the user and the organization exist.
/// `Err` means that the result is unknown, and becomes `503`. Do not turn one into the other: a
/// database outage must never look like an expulsion.
pub trait MembershipStore: Send + Sync + 'static {
    /// Looks up a membership in one round trip. Ids are compared byte by byte. A text that cannot be
    /// an id matches no membership.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the lookup fails.
    fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>> + Send;
}

/// A store that several layers share.
impl<S: MembershipStore> MembershipStore for Arc<S> {
    fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>> + Send {
        S::member(self, user_id, organization_id)
    }
}

/// Memberships are not cached.
impl<S: UserStore + MembershipStore> MembershipStore for CachedStore<S> {
    fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>> + Send {
        self.inner().member(user_id, organization_id)
    }
}

impl MembershipStore for MemoryStore {
    async fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        Ok(self.find_member(user_id, organization_id))
    }
}

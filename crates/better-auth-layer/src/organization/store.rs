//! The trait of stores that look up memberships, and its implementation for stores of other modules.

use std::sync::Arc;

use crate::cache::CachedStore;
use crate::identity::Member;
use crate::store::MemoryStore;
use crate::store::{StoreError, UserStore};

/// Knows who is a member of which organization (Better Auth's organization plugin). Optional beside a
/// [`UserStore`](crate::UserStore); the stores of this crate are both.
///
/// The session's [`active_organization_id`](crate::Session::active_organization_id) says which organization the user
/// works in, and does not prove that the user is still a member of it, nor with which roles. This does:
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
/// `Ok(None)` is knowledge: this user is not a member, whether or not there is such a user or such an organization.
/// `Err` means that nobody knows, and becomes `503`. Do not turn one into the other: a database outage must never look
/// like an expulsion.
pub trait MembershipStore: Send + Sync + 'static {
    /// Looks up a user's membership in an organization, in one round trip. Ids are compared letter for letter; a text
    /// that no id can be is nobody's.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot know the answer.
    fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>> + Send;
}

/// A shared store, so that one can be given to several layers.
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

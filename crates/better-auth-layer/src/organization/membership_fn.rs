//! A membership store made from a closure.

use std::fmt;

use super::MembershipStore;
use crate::identity::Member;
use crate::store::StoreError;

/// Creates a [`MembershipStore`] from an async closure that takes a user id and an organization id,
/// for unit tests.
///
/// ```
/// use better_auth_layer::StoreError;
/// use better_auth_layer::organization::{Member, membership_fn};
///
/// let every_user_is_owner = membership_fn(|user_id, organization_id| async move {
///     Ok::<_, StoreError>(Some(Member::new(user_id, organization_id).with_role("owner")))
/// });
/// ```
pub fn membership_fn<F, Fut>(member: F) -> impl MembershipStore + fmt::Debug
where
    F: Fn(String, String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<Member>, StoreError>> + Send,
{
    MembershipFn { member }
}

struct MembershipFn<F> {
    member: F,
}

impl<F, Fut> MembershipStore for MembershipFn<F>
where
    F: Fn(String, String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<Member>, StoreError>> + Send,
{
    fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>> + Send {
        (self.member)(user_id.to_owned(), organization_id.to_owned())
    }
}

impl<F> fmt::Debug for MembershipFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MembershipFn(..)")
    }
}

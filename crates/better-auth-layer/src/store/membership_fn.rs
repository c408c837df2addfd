//! Memberships from a closure.

use std::fmt;

use super::{MembershipStore, StoreError};
use crate::identity::Member;

/// Makes a [`MembershipStore`] of an async closure that takes a user id and an organization id: the shortest mock for a
/// unit test.
///
/// ```
/// use better_auth_layer::StoreError;
/// use better_auth_layer::organization::{Member, membership_fn};
///
/// let everybody_owns_everything = membership_fn(|user_id, organization_id| async move {
///     Ok::<_, StoreError>(Some(Member::new(user_id, organization_id).with_role("owner")))
/// });
/// ```
pub fn membership_fn<F, Fut>(member: F) -> MembershipFn<F>
where
    F: Fn(String, String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<Member>, StoreError>> + Send,
{
    MembershipFn { member }
}

/// The [`MembershipStore`] that [`membership_fn`] makes.
#[derive(Clone)]
pub struct MembershipFn<F> {
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

//! The object-safe form of [`MembershipStore`].

use std::sync::Arc;

use super::MembershipStore;
use crate::identity::Member;
use crate::store::{BoxFuture, StoreError, StoreErrorKind};

/// [`MembershipStore`] with a boxed future that owns its parameters.
pub(crate) trait DynMembershipStore: Send + Sync + 'static {
    /// Looks up a membership. A membership of another user or organization is an error: no store is
    /// trusted to compare ids.
    fn member(
        self: Arc<Self>,
        user_id: &str,
        organization_id: &str,
    ) -> BoxFuture<Result<Option<Member>, StoreError>>;
}

impl<S: MembershipStore> DynMembershipStore for S {
    fn member(
        self: Arc<Self>,
        user_id: &str,
        organization_id: &str,
    ) -> BoxFuture<Result<Option<Member>, StoreError>> {
        let (user_id, organization_id) = (user_id.to_owned(), organization_id.to_owned());
        Box::pin(async move {
            let member = S::member(&*self, &user_id, &organization_id).await?;
            match member {
                Some(member) if !member.is_of(&user_id, &organization_id) => {
                    let cause = "the membership is of another user or organization";
                    Err(StoreError::new(StoreErrorKind::WrongAnswer, cause))
                }
                member => Ok(member),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::membership_fn;

    type Answer = Result<Option<Member>, StoreErrorKind>;

    /// The result for a store's membership of `usr_1` in `org_1`.
    fn result(answer: impl Fn(String, String) -> Answer + Send + Sync + 'static) -> Answer {
        let store = membership_fn(move |user_id, organization_id| {
            std::future::ready(answer(user_id, organization_id).map_err(StoreError::from))
        });
        let store: Arc<dyn DynMembershipStore> = Arc::new(store);
        let mut future = store.member("usr_1", "org_1");
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(answer) => answer.map_err(|error| error.kind()),
            std::task::Poll::Pending => panic!("the store is ready at once"),
        }
    }

    #[test]
    fn matching_membership_is_returned() {
        let member = Member::new("usr_1", "org_1").with_role("admin");
        let asked = |user_id: String, organization_id: String| {
            let member = Member::new(user_id, organization_id);
            Ok(Some(member.with_role("admin")))
        };
        assert_eq!(result(asked), Ok(Some(member)));
        assert_eq!(result(|_, _| Ok(None)), Ok(None));
        let failed = Err(StoreErrorKind::Timeout);
        assert_eq!(result(|_, _| Err(StoreErrorKind::Timeout)), failed);
    }

    #[test]
    fn other_membership_is_an_error() {
        for (user_id, organization_id) in [
            ("usr_2", "org_1"),
            ("usr_1", "org_2"),
            ("org_1", "usr_1"),
            ("USR_1", "org_1"),
            ("usr_1", "org_1 "),
            ("", ""),
        ] {
            let member = Member::new(user_id, organization_id).with_role("owner");
            let answer = result(move |_, _| Ok(Some(member.clone())));
            assert_eq!(
                answer,
                Err(StoreErrorKind::WrongAnswer),
                "{user_id} {organization_id}"
            );
        }
    }
}

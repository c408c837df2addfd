//! The layer for members of an organization.

use std::fmt;
use std::sync::Arc;

use http::request;
use tower_layer::Layer;

use super::{DynMembershipStore, Membership, MembershipStore};
use crate::identity::{Identity, Member};

/// Layer that applies [`Membership`], which lets members of an organization pass, with their
/// [`Member`](crate::organization::Member) in the request's extensions.
///
/// Which organization it is about the session says: the one that is
/// [active](crate::Session::active_organization_id) in it. A path or a header can say it as well, see
/// [`organization`](Self::organization). The store is asked for every request, so that somebody who has left is out at
/// once.
///
/// ```
/// use axum::{Router, routing::{delete, get}};
/// use better_auth_layer::organization::MembershipLayer;
/// use better_auth_layer::BetterAuthLayer;
/// use better_auth_layer::organization::{Member, MembershipStore};
///
/// fn app(auth: BetterAuthLayer, store: impl MembershipStore) -> Router {
///     let members = MembershipLayer::new(store);
///     Router::new()
///         .route("/projects", get(list).layer(members.clone()))
///         .route("/projects", delete(clear).layer(members.roles(["owner", "admin"])))
///         .layer(auth)
/// }
///
/// // With the feature `axum` a member is an extractor; without it, it is in the request's extensions.
/// async fn list(member: Member) -> String {
///     format!("projects of {}", member.organization_id())
/// }
/// # async fn clear() {}
/// ```
#[derive(Clone)]
pub struct MembershipLayer {
    condition: Arc<Condition>,
}

/// Of which organization somebody has to be a member, and with which role.
pub(super) struct Condition {
    pub(super) store: Arc<dyn DynMembershipStore>,
    find: Arc<Find>,
    roles: Option<Vec<Box<str>>>,
}

type Find = dyn Fn(&request::Parts, &Identity) -> Option<String> + Send + Sync;

impl MembershipLayer {
    /// Lets members of the session's active organization pass, whatever their role.
    pub fn new(store: impl MembershipStore) -> Self {
        Self {
            condition: Arc::new(Condition {
                store: Arc::new(store),
                find: Arc::new(active_organization),
                roles: None,
            }),
        }
    }

    /// Sets where the organization's id is found, in place of the session. `None`: the request is about none, and is
    /// refused.
    ///
    /// ```
    /// use better_auth_layer::organization::MembershipLayer;
    /// # use better_auth_layer::organization::MembershipStore;
    ///
    /// # fn layer(store: impl MembershipStore) -> MembershipLayer {
    /// MembershipLayer::new(store).organization(|request, _identity| {
    ///     let path = request.uri.path().strip_prefix("/organizations/")?;
    ///     Some(path.split('/').next()?.to_owned())
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn organization(
        self,
        find: impl Fn(&request::Parts, &Identity) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.with(|condition| Condition {
            find: Arc::new(find),
            ..condition
        })
    }

    /// Lets only members with one of these roles pass ([`Member::has_role`](crate::organization::Member::has_role)).
    #[must_use]
    pub fn roles<R: Into<Box<str>>>(self, roles: impl IntoIterator<Item = R>) -> Self {
        let roles = roles.into_iter().map(Into::into).collect();
        self.with(|condition| Condition {
            roles: Some(roles),
            ..condition
        })
    }

    fn with(self, change: impl FnOnce(Condition) -> Condition) -> Self {
        let Condition { store, find, roles } = &*self.condition;
        let condition = Condition {
            store: Arc::clone(store),
            find: Arc::clone(find),
            roles: roles.clone(),
        };
        Self {
            condition: Arc::new(change(condition)),
        }
    }
}

impl Condition {
    pub(super) fn organization(
        &self,
        parts: &request::Parts,
        identity: &Identity,
    ) -> Option<String> {
        (self.find)(parts, identity)
    }

    pub(super) fn admits(&self, member: &Member) -> bool {
        let roles = self.roles.as_ref();
        roles.is_none_or(|roles| roles.iter().any(|role| member.has_role(role)))
    }
}

/// Of the session that the credential names; any other one may be about another organization.
fn active_organization(_: &request::Parts, identity: &Identity) -> Option<String> {
    let organization = identity.bound_session()?.active_organization_id();
    organization.map(str::to_owned)
}

impl<S> Layer<S> for MembershipLayer {
    type Service = Membership<S>;

    fn layer(&self, inner: S) -> Membership<S> {
        Membership::new(inner, Arc::clone(&self.condition))
    }
}

impl fmt::Debug for MembershipLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MembershipLayer")
            .field("roles", &self.condition.roles)
            .finish_non_exhaustive()
    }
}

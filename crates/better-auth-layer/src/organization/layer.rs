//! The layer that requires membership in an organization.

use std::fmt;
use std::sync::Arc;

use http::request;
use tower_layer::Layer;

use super::{DynMembershipStore, Membership, MembershipStore};
use crate::identity::{Identity, Member};

/// Layer that applies [`Membership`], which forwards requests of an organization's members, with
/// their [`Member`](crate::organization::Member) in the request's extensions.
///
/// The organization is the session's
/// [active](crate::Session::active_organization_id) one, or is read from the request, such as from a
/// path or a header; see [`organization`](Self::organization). Every request looks up the membership,
/// so a removed member loses access at once.
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

/// The required membership.
pub(super) struct Condition {
    pub(super) store: Arc<dyn DynMembershipStore>,
    find: Arc<Find>,
    roles: Option<Vec<Box<str>>>,
}

type Find = dyn Fn(&request::Parts, &Identity) -> Option<String> + Send + Sync;

impl MembershipLayer {
    /// Requires membership in the session's active organization, with any role.
    pub fn new(store: impl MembershipStore) -> Self {
        Self {
            condition: Arc::new(Condition {
                store: Arc::new(store),
                find: Arc::new(active_organization),
                roles: None,
            }),
        }
    }

    /// Sets how the organization's id is read from a request, instead of from the session. A request
    /// for which it is `None` is rejected with `403`.
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

    /// Requires one of these roles ([`Member::has_role`](crate::organization::Member::has_role)).
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

    pub(super) fn allows(&self, member: &Member) -> bool {
        let roles = self.roles.as_ref();
        roles.is_none_or(|roles| roles.iter().any(|role| member.has_role(role)))
    }
}

/// The active organization of the credential's own session. Another session of the user may have
/// another one.
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

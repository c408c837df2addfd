//! [`Policy`] and its implementations.

use std::time::Duration;

use crate::identity::Identity;

/// Decides whether an identity is authorized. Implemented for every `Fn(&Identity) -> bool`.
///
/// ```
/// use better_auth_layer::Identity;
/// use better_auth_layer::authorize::{AuthorizeLayer, Policy};
///
/// /// With `Default`, a policy also works as an axum extractor.
/// #[derive(Clone, Default)]
/// struct Staff;
///
/// impl Policy for Staff {
///     fn allows(&self, identity: &Identity) -> bool {
///         identity.user().email_verified() && identity.user().email().ends_with("@example.com")
///     }
/// }
///
/// let layer = AuthorizeLayer::new(Staff);
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy",
    label = "not a `Policy`",
    note = "implement `better_auth_layer::authorize::Policy`, or use a closure with a typed parameter: `|identity: &Identity| …`"
)]
pub trait Policy: Send + Sync + 'static {
    /// Whether the policy allows this identity.
    fn allows(&self, identity: &Identity) -> bool;

    /// Combines two policies: both must allow the identity.
    fn and<P: Policy>(self, other: P) -> And<Self, P>
    where
        Self: Sized,
    {
        And(self, other)
    }

    /// Combines two policies: one must allow the identity.
    fn or<P: Policy>(self, other: P) -> Or<Self, P>
    where
        Self: Sized,
    {
        Or(self, other)
    }
}

impl<F> Policy for F
where
    F: Fn(&Identity) -> bool + Send + Sync + 'static,
{
    fn allows(&self, identity: &Identity) -> bool {
        self(identity)
    }
}

/// The policy returned by [`Policy::and`].
#[derive(Clone, Copy, Debug, Default)]
pub struct And<A, B>(A, B);

impl<A: Policy, B: Policy> Policy for And<A, B> {
    fn allows(&self, identity: &Identity) -> bool {
        self.0.allows(identity) && self.1.allows(identity)
    }
}

/// The policy returned by [`Policy::or`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Or<A, B>(A, B);

impl<A: Policy, B: Policy> Policy for Or<A, B> {
    fn allows(&self, identity: &Identity) -> bool {
        self.0.allows(identity) || self.1.allows(identity)
    }
}

/// Requires one of the given roles of Better Auth's admin plugin ([`User::roles`](crate::User::roles)).
///
/// Roles are case-sensitive. A user without a role has no role here, not even Better Auth's default
/// `user`. An API key has the roles of its owner; combine with [`SessionOnly`] to reject API keys.
///
/// ```
/// use better_auth_layer::authorize::{AuthorizeLayer, Role};
///
/// let staff = AuthorizeLayer::new(Role::any(["admin", "editor"]));
/// # let _ = staff;
/// ```
#[derive(Clone, Debug)]
pub struct Role(Vec<Box<str>>);

impl Role {
    /// Requires this role.
    pub fn new(role: impl Into<Box<str>>) -> Self {
        Self(vec![role.into()])
    }

    /// Requires one of these roles. An empty list allows no identity.
    pub fn any<R: Into<Box<str>>>(roles: impl IntoIterator<Item = R>) -> Self {
        Self(roles.into_iter().map(Into::into).collect())
    }
}

impl Policy for Role {
    fn allows(&self, identity: &Identity) -> bool {
        let mut roles = identity.user().roles();
        roles.any(|role| self.0.iter().any(|wanted| **wanted == *role))
    }
}

/// Requires a verified email.
///
/// ```
/// use better_auth_layer::authorize::{AuthorizeLayer, Policy, Role, VerifiedEmail};
///
/// let layer = AuthorizeLayer::new(VerifiedEmail.and(Role::new("editor")));
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifiedEmail;

impl Policy for VerifiedEmail {
    fn allows(&self, identity: &Identity) -> bool {
        identity.user().email_verified()
    }
}

/// Requires a recent sign-in ([`Session::is_fresh_at`](crate::Session::is_fresh_at)), for sensitive
/// operations. Better Auth's default `freshAge` is one day.
///
/// Also rejected: a session with an [impersonator](crate::Session::impersonated_by), because the
/// user did not sign in; a session without a creation time; an API key; and a JWT that
/// [identifies no session](Identity::is_session_bound).
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::authorize::{AuthorizeLayer, FreshSession};
///
/// let layer = AuthorizeLayer::new(FreshSession::within(Duration::from_secs(10 * 60)));
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FreshSession(Duration);

impl FreshSession {
    /// Requires a sign-in less than `max_age` ago.
    #[must_use]
    pub fn within(max_age: Duration) -> Self {
        Self(max_age)
    }
}

impl Policy for FreshSession {
    fn allows(&self, identity: &Identity) -> bool {
        let now = identity.authenticated_at();
        identity.bound_session().is_some_and(|session| {
            session.is_fresh_at(now, self.0) && session.impersonated_by().is_none()
        })
    }
}

/// Rejects sessions in which an administrator impersonates the user
/// ([`Session::impersonated_by`](crate::Session::impersonated_by)).
///
/// API keys are rejected too, because the session that created the key is unknown. To allow them,
/// use `NotImpersonated.or(|identity: &Identity| identity.api_key().is_some())`. A JWT that
/// [identifies no session](Identity::is_session_bound) is rejected: Better Auth issues the same JWT
/// to the user and to an impersonating administrator. Add the session id as `sid` (`definePayload`)
/// or use the session cookie.
///
/// ```
/// use better_auth_layer::authorize::{AuthorizeLayer, NotImpersonated, Policy, SessionOnly};
///
/// // For operations that only the user may perform:
/// let layer = AuthorizeLayer::new(SessionOnly.and(NotImpersonated));
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NotImpersonated;

impl Policy for NotImpersonated {
    fn allows(&self, identity: &Identity) -> bool {
        let session = identity.bound_session();
        session.is_some_and(|session| session.impersonated_by().is_none())
    }
}

/// Requires a session and rejects API keys.
///
/// ```
/// use better_auth_layer::authorize::{AuthorizeLayer, SessionOnly};
///
/// let layer = AuthorizeLayer::new(SessionOnly);
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionOnly;

impl Policy for SessionOnly {
    fn allows(&self, identity: &Identity) -> bool {
        identity.session().is_some()
    }
}

/// Requires a permission of an API key ([`ApiKey::allows`](crate::ApiKey::allows)).
///
/// Sessions are allowed: the permissions of a key only restrict the key.
///
/// ```
/// use better_auth_layer::authorize::{ApiKeyPermission, AuthorizeLayer};
///
/// // In Better Auth: permissions: { files: ["read"] }
/// let layer = AuthorizeLayer::new(ApiKeyPermission::new("files", "read"));
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct ApiKeyPermission {
    resource: Box<str>,
    action: Box<str>,
}

impl ApiKeyPermission {
    /// Requires an action on a resource, such as `read` on `files`.
    pub fn new(resource: impl Into<Box<str>>, action: impl Into<Box<str>>) -> Self {
        Self {
            resource: resource.into(),
            action: action.into(),
        }
    }
}

impl Policy for ApiKeyPermission {
    fn allows(&self, identity: &Identity) -> bool {
        let key = identity.api_key();
        key.is_none_or(|key| key.allows(&self.resource, &self.action))
    }
}

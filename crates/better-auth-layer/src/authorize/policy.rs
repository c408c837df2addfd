//! What an identity has to be.

use std::time::Duration;

use crate::identity::Identity;

/// Decides whether an identity may pass. Every `Fn(&Identity) -> bool` does.
///
/// ```
/// use better_auth_layer::Identity;
/// use better_auth_layer::authorize::{AuthorizeLayer, Policy};
///
/// /// A type of one's own works as a layer and, being `Default`, as an extractor.
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
    message = "`{Self}` is no policy",
    label = "not a `Policy`",
    note = "implement `better_auth_layer::authorize::Policy`; a closure is one if its parameter has a type: `|identity: &Identity| …`"
)]
pub trait Policy: Send + Sync + 'static {
    /// Whether this identity may pass.
    fn allows(&self, identity: &Identity) -> bool;

    /// Both policies have to be met.
    fn and<P: Policy>(self, other: P) -> And<Self, P>
    where
        Self: Sized,
    {
        And(self, other)
    }

    /// One of the two policies has to be met.
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

/// The policy that [`Policy::and`] makes.
#[derive(Clone, Copy, Debug, Default)]
pub struct And<A, B>(A, B);

impl<A: Policy, B: Policy> Policy for And<A, B> {
    fn allows(&self, identity: &Identity) -> bool {
        self.0.allows(identity) && self.1.allows(identity)
    }
}

/// The policy that [`Policy::or`] makes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Or<A, B>(A, B);

impl<A: Policy, B: Policy> Policy for Or<A, B> {
    fn allows(&self, identity: &Identity) -> bool {
        self.0.allows(identity) || self.1.allows(identity)
    }
}

/// The user has one of these roles, in the column of Better Auth's admin plugin ([`User::roles`](crate::User::roles)).
///
/// Letters count: `Admin` is not `admin`. A user without a role has none; Better Auth writes `user` for everybody else.
/// An API key acts with the role of its owner; [`SessionOnly`] keeps it out.
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
    /// This role.
    pub fn new(role: impl Into<Box<str>>) -> Self {
        Self(vec![role.into()])
    }

    /// Any of these roles. Of none, nobody passes.
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

/// The user's e-mail address is verified.
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

/// The user signed in not long ago ([`Session::is_fresh_at`](crate::Session::is_fresh_at)), for what should not be done
/// from a machine that somebody has left. Better Auth's own `freshAge` is a day.
///
/// Whom an administrator acts for did not sign in just then, so a session with an
/// [impersonator](crate::Session::impersonated_by) is not fresh. A session whose age the store does not know is not
/// fresh, an API key is no session, and a JWT that [names no session](Identity::is_session_bound) does not say when its
/// sender signed in: all four are refused.
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
    /// Signed in less than this long ago.
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

/// Nobody acts in the user's name ([`Session::impersonated_by`](crate::Session::impersonated_by)).
///
/// An API key is refused, as nobody knows in which session it was made; where keys are welcome say
/// `NotImpersonated.or(|identity: &Identity| identity.api_key().is_some())`. A JWT that
/// [names no session](Identity::is_session_bound) is refused: Better Auth makes the same one for the user and for an
/// administrator who acts as the user. Put the session's id into `sid` (`definePayload`), or accept the session cookie.
///
/// ```
/// use better_auth_layer::authorize::{AuthorizeLayer, NotImpersonated, Policy, SessionOnly};
///
/// // For what only the user may do, and with their own hands:
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

/// The user is here with a session, not with an API key.
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

/// An API key has this permission ([`ApiKey::allows`](crate::ApiKey::allows)). Who is here with a session passes: the
/// permissions of a key narrow what its owner may do.
///
/// ```
/// use better_auth_layer::authorize::{ApiKeyPermission, AuthorizeLayer};
///
/// // The key's permissions in Better Auth: { files: ["read"] }
/// let layer = AuthorizeLayer::new(ApiKeyPermission::new("files", "read"));
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct ApiKeyPermission {
    resource: Box<str>,
    action: Box<str>,
}

impl ApiKeyPermission {
    /// This action for this resource, such as `read` for `files`.
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

//! Begins a session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::deployment::Deployment;
use super::{TestSession, TestUser, random};
use crate::identity::{Session, SessionToken};

/// Seven days (`session.expiresIn`).
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A session about to begin; made by [`TestUser::session`].
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::testing::TestDeployment;
///
/// let issuer = TestDeployment::new();
/// let ada = issuer.user("ada@example.com").create();
/// let root = issuer.user("root@example.com").role("admin").create();
///
/// let session = ada
///     .session()
///     .expires_in(Duration::from_secs(3600))
///     .impersonated_by(&root)
///     .active_organization("org_1")
///     .create();
/// assert_eq!(session.to_session().impersonated_by(), Some(root.id()));
/// ```
#[must_use = "a builder does nothing until `create` is called"]
pub struct SessionBuilder {
    deployment: Arc<Deployment>,
    user: TestUser,
    id: String,
    token: String,
    lifetime: Duration,
    impersonated_by: Option<String>,
    active_organization: Option<String>,
}

impl SessionBuilder {
    pub(super) fn new(deployment: Arc<Deployment>, user: TestUser) -> Self {
        Self {
            deployment,
            user,
            id: random::id(),
            token: random::id(),
            lifetime: LIFETIME,
            impersonated_by: None,
            active_organization: None,
        }
    }

    /// Sets the id. Default: a random one of Better Auth's form.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the session's token. Default: a random one of Better Auth's form, 32 letters and digits.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Sets when it ends, from now on. Default: seven days. Zero: it has ended.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Makes it a session that an administrator has opened in the user's name.
    pub fn impersonated_by(mut self, admin: &TestUser) -> Self {
        self.impersonated_by = Some(admin.id().to_owned());
        self
    }

    /// Sets the organization that is active in it, by its id.
    pub fn active_organization(mut self, id: impl Into<String>) -> Self {
        self.active_organization = Some(id.into());
        self
    }

    /// Begins the session.
    ///
    /// # Panics
    ///
    /// When the user was deleted.
    #[must_use]
    #[track_caller]
    pub fn create(self) -> TestSession {
        self.user.assert_exists();
        let now = self.deployment.now();
        let expires_at = now.saturating_add(self.lifetime);
        let mut session = Session::new(self.id, self.user.id(), expires_at)
            .with_token(SessionToken::new(self.token))
            .with_created_at(now);
        if let Some(admin) = self.impersonated_by {
            session = session.with_impersonated_by(admin);
        }
        if let Some(organization) = self.active_organization {
            session = session.with_active_organization_id(organization);
        }
        TestSession::new(self.deployment, self.user, session)
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("id", &self.id)
            .field("user_id", &self.user.id())
            .finish_non_exhaustive()
    }
}

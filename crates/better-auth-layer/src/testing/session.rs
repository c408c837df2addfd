//! A session and its credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::json::JsonObject;
use super::state::{Deployment, cookie_value, iso_date};
use super::{Credential, JwtBuilder, TestUser, cookie_cache, random};
use crate::identity::{Session, SessionToken};

/// A session of a user. Clones are the same session. Created by [`TestUser::sign_in`] or
/// [`TestUser::session`].
///
/// It returns all credentials that Better Auth sends to a client, even after its end, because
/// clients keep credentials:
///
/// | method | sent as | accepted as |
/// |---|---|---|
/// | [`cookie`](Self::cookie) | `Cookie` | [`SessionCookie`](crate::CredentialKind::SessionCookie) |
/// | [`cookie_cache`](Self::cookie_cache) | `Cookie` | [`CookieCache`](crate::CredentialKind::CookieCache) |
/// | [`signed_token`](Self::signed_token) | `Authorization` | [`SignedSessionToken`](crate::CredentialKind::SignedSessionToken) |
/// | [`raw_token`](Self::raw_token) | `Authorization` | [`RawSessionToken`](crate::CredentialKind::RawSessionToken) |
/// | [`jwt`](Self::jwt) | `Authorization` | [`Jwt`](crate::CredentialKind::Jwt) |
/// | [`secret_jwt`](Self::secret_jwt) | `Authorization` | [`SecretJwt`](crate::CredentialKind::SecretJwt) |
///
/// ```
/// use better_auth_layer::CredentialKind;
/// use better_auth_layer::testing::TestDeployment;
///
/// let issuer = TestDeployment::new();
/// let session = issuer.user("ada@example.com").create().sign_in();
///
/// let identity = issuer.identity(&session.signed_token());
/// assert_eq!(identity.credential(), CredentialKind::SignedSessionToken);
/// ```
#[derive(Clone)]
pub struct TestSession {
    deployment: Arc<Deployment>,
    user: TestUser,
    row: Arc<Session>,
}

impl TestSession {
    pub(super) fn new(deployment: Arc<Deployment>, user: TestUser, row: Session) -> Self {
        deployment.store.memory().insert_session(row.clone());
        Self {
            deployment,
            user,
            row: Arc::new(row),
        }
    }

    /// The id of the session (not its token).
    #[must_use]
    pub fn id(&self) -> &str {
        self.row.id()
    }

    /// The user of the session.
    #[must_use]
    pub fn user(&self) -> &TestUser {
        &self.user
    }

    /// The session as the layer finds it.
    #[must_use]
    pub fn to_session(&self) -> Session {
        Session::clone(&self.row)
    }

    /// The session cookie. With `https` its name starts with `__Secure-`.
    pub fn cookie(&self) -> Credential {
        let name = format!("{}.session_token", self.deployment.cookie_prefix);
        let name = self.deployment.cookie_name(&name);
        let value = cookie_value(&self.deployment.signed(self.token()));
        Credential::session_cookie(format!("{name}={value}"))
    }

    /// The session cookie and the cookie cache, which is valid for five minutes from now. The
    /// deployment's [setting](super::TestDeploymentBuilder::cookie_cache) selects the kind. Long
    /// caches are split into chunks.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::CredentialKind;
    /// use better_auth_layer::testing::TestDeployment;
    ///
    /// let issuer = TestDeployment::new();
    /// let session = issuer.user("ada@example.com").create().sign_in();
    ///
    /// let cookies = session.cookie_cache();
    /// assert_eq!(issuer.identity(&cookies).credential(), CredentialKind::CookieCache);
    ///
    /// issuer.advance(Duration::from_secs(300)); // The cache has ended, and the store is asked.
    /// assert_eq!(issuer.identity(&cookies).credential(), CredentialKind::SessionCookie);
    /// ```
    pub fn cookie_cache(&self) -> Credential {
        self.cookie()
            .with_cache(&cookie_cache::cookies(&self.deployment, self))
    }

    /// The signed session token, as Better Auth's bearer plugin sends it in `set-auth-token`.
    pub fn signed_token(&self) -> Credential {
        Credential::bearer(self.deployment.signed(self.token()))
    }

    /// The session token without a signature, as stored in the table.
    pub fn raw_token(&self) -> Credential {
        Credential::bearer(self.token().to_owned())
    }

    /// A JWT of Better Auth's JWT plugin (`/api/auth/token`), signed with a key of the key set and
    /// valid for fifteen minutes. Like Better Auth's tokens, it names the user but not the session.
    pub fn jwt(&self) -> JwtBuilder {
        JwtBuilder::of_plugin(Arc::clone(&self.deployment), self)
    }

    /// A JWT of the application, signed with the deployment's secret (HS256) and valid for fifteen
    /// minutes. It names the user by email, by id in `sub`, and the deployment in `iss`.
    pub fn secret_jwt(&self) -> JwtBuilder {
        JwtBuilder::of_secret(Arc::clone(&self.deployment), self)
    }

    /// Ends this session.
    pub fn sign_out(&self) {
        self.deployment.store.memory().remove_session(self.id());
    }

    pub(super) fn token(&self) -> &str {
        self.row.token().map_or("", SessionToken::expose)
    }

    /// The columns as in Better Auth's caches.
    pub(super) fn to_json_object(&self) -> JsonObject {
        let created_at = iso_date(self.row.created_at().unwrap_or(self.deployment.now()));
        JsonObject::new()
            .with("expiresAt", iso_date(self.row.expires_at()))
            .with("token", self.token())
            .with("createdAt", &created_at)
            .with("updatedAt", &created_at)
            .with("ipAddress", "")
            .with("userAgent", "")
            .with("userId", self.row.user_id())
            .with("impersonatedBy", self.row.impersonated_by())
            .with("activeOrganizationId", self.row.active_organization_id())
            .with("activeTeamId", ())
            .with("id", self.id())
    }
}

impl fmt::Debug for TestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSession")
            .field("id", &self.id())
            .field("user_id", &self.user.id())
            .finish_non_exhaustive()
    }
}

/// Seven days (`session.expiresIn`).
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Builder of a session, created by [`TestUser::session`].
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

    /// Sets the id. Default: a random id in Better Auth's format.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the token. Default: 32 random letters and digits, as in Better Auth.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Sets the lifetime. Default: seven days. With zero the session has expired.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Makes an impersonated session, opened by this administrator.
    pub fn impersonated_by(mut self, admin: &TestUser) -> Self {
        self.impersonated_by = Some(admin.id().to_owned());
        self
    }

    /// Sets the id of the active organization.
    pub fn active_organization(mut self, id: impl Into<String>) -> Self {
        self.active_organization = Some(id.into());
        self
    }

    /// Creates the session.
    ///
    /// # Panics
    ///
    /// If the user was deleted.
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

//! A session, and the credentials that a client has from it.

use std::fmt;
use std::sync::Arc;

use super::deployment::{Deployment, cookie_value, iso_date};
use super::json_object::JsonObject;
use super::{Credential, JwtBuilder, TestUser, cookie_cache};
use crate::identity::{Session, SessionToken};

/// A session of a user's; clones are the same session. Made by [`TestUser::sign_in`] or [`TestUser::session`].
///
/// It hands out everything that Better Auth gives to a client that has signed in, also when it has ended, since clients
/// keep what they have:
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

    /// The session's id (not its token).
    #[must_use]
    pub fn id(&self) -> &str {
        self.row.id()
    }

    /// Whose session it is.
    #[must_use]
    pub fn user(&self) -> &TestUser {
        &self.user
    }

    /// The session as the layer finds it.
    #[must_use]
    pub fn to_session(&self) -> Session {
        Session::clone(&self.row)
    }

    /// The session cookie. Behind `https` its name begins with `__Secure-`.
    pub fn cookie(&self) -> Credential {
        let name = format!("{}.session_token", self.deployment.cookie_prefix);
        let name = self.deployment.cookie_name(&name);
        let value = cookie_value(&self.deployment.signed(self.token()));
        Credential::session_cookie(format!("{name}={value}"))
    }

    /// The session cookie with the cookie cache beside it, of the issuer's
    /// [kind](super::TestDeploymentBuilder::cookie_cache), made now: it is good for five minutes. A long one comes in chunks.
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

    /// The session's token with its signature: what Better Auth's bearer plugin hands out in `set-auth-token`.
    pub fn signed_token(&self) -> Credential {
        Credential::bearer(self.deployment.signed(self.token()))
    }

    /// The session's token without a signature, as it stands in the table.
    pub fn raw_token(&self) -> Credential {
        Credential::bearer(self.token().to_owned())
    }

    /// A JWT of Better Auth's JWT plugin, `/api/auth/token`: signed with a key of the key set, good for fifteen minutes. It
    /// names the user and, as Better Auth's do, not the session.
    pub fn jwt(&self) -> JwtBuilder {
        JwtBuilder::of_plugin(Arc::clone(&self.deployment), self)
    }

    /// A JWT that the application has signed with the deployment's secret (HS256), good for fifteen minutes. It names the
    /// user by e-mail address, in `sub` by id, and the deployment in `iss`.
    pub fn secret_jwt(&self) -> JwtBuilder {
        JwtBuilder::of_secret(Arc::clone(&self.deployment), self)
    }

    /// Ends the session, and no other one.
    pub fn sign_out(&self) {
        self.deployment.store.memory().remove_session(self.id());
    }

    pub(super) fn token(&self) -> &str {
        self.row.token().map_or("", SessionToken::expose)
    }

    /// The columns as Better Auth writes them into caches.
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

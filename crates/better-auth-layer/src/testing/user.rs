//! Users of the test deployment.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::json::JsonObject;
use super::panic::fail;
use super::state::{Deployment, iso_date};
use super::{ApiKeyBuilder, Credential, SessionBuilder, TestSession, random};
use crate::clock::Timestamp;
use crate::identity::User;

/// The lifetime of a link in a mail (`emailVerification.expiresIn`), in seconds.
const MAIL_LIFETIME: i64 = 3600;

/// A signed-up user. Clones are the same user. Created by
/// [`TestDeployment::user`](super::TestDeployment::user).
///
/// The next lookup of the layer finds all changes.
///
/// ```
/// use better_auth_layer::testing::TestDeployment;
///
/// let issuer = TestDeployment::new();
/// let ada = issuer.user("ada@example.com").create();
/// let laptop = ada.sign_in();
/// let phone = ada.sign_in();
///
/// laptop.sign_out();
/// ada.set_role("admin");
/// assert_eq!(issuer.identity(&phone.cookie()).user().role(), Some("admin"));
/// ```
#[derive(Clone)]
pub struct TestUser {
    deployment: Arc<Deployment>,
    id: Arc<str>,
    email: Arc<str>,
    row: Arc<Mutex<UserRow>>,
}

/// The columns.
pub(super) struct UserRow {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) created_at: Timestamp,
    pub(super) email_verified: bool,
    pub(super) image: Option<String>,
    pub(super) role: String,
    pub(super) is_banned: bool,
    pub(super) is_deleted: bool,
    pub(super) fields: Vec<(String, String)>,
}

impl TestUser {
    pub(super) fn new(deployment: Arc<Deployment>, row: UserRow) -> Self {
        deployment.store.memory().insert_user(row.to_user());
        Self {
            deployment,
            id: row.id.as_str().into(),
            email: row.email.as_str().into(),
            row: Arc::new(Mutex::new(row)),
        }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The email in lower case.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The user as the layer finds it.
    #[must_use]
    pub fn to_user(&self) -> User {
        self.row().to_user()
    }

    /// Creates a session with Better Auth's defaults, which lasts seven days.
    ///
    /// # Panics
    ///
    /// If the user was deleted.
    #[must_use]
    #[track_caller]
    pub fn sign_in(&self) -> TestSession {
        self.session().create()
    }

    /// Builds another session: `ada.session().impersonated_by(&admin).create()`.
    pub fn session(&self) -> SessionBuilder {
        SessionBuilder::new(Arc::clone(&self.deployment), self.clone())
    }

    /// Builds an API key: `ada.api_key().permission("files", "read").create()`.
    pub fn api_key(&self) -> ApiKeyBuilder {
        ApiKeyBuilder::new(Arc::clone(&self.deployment), self.clone())
    }

    /// Ends all sessions of the user. JWTs then find no active session.
    pub fn sign_out_everywhere(&self) {
        self.deployment.store.memory().remove_sessions_of(&self.id);
    }

    /// Bans the user as Better Auth's admin plugin does, which ends all sessions. Session cookies
    /// are then rejected as invalid (`401`), JWTs for the missing session (`404`), and API keys for
    /// the banned owner (`403`).
    pub fn ban(&self) {
        self.ban_by_sql();
        self.sign_out_everywhere();
    }

    /// Sets only the column `banned`, as an SQL statement does. The sessions remain, and all
    /// credentials are rejected for the ban (`403`).
    pub fn ban_by_sql(&self) {
        self.change(|row| row.is_banned = true);
    }

    /// Lifts the ban. Ended sessions do not return.
    pub fn unban(&self) {
        self.change(|row| row.is_banned = false);
    }

    /// Sets the role, or several roles separated by commas.
    pub fn set_role(&self, role: &str) {
        self.change(|row| role.clone_into(&mut row.role));
    }

    /// Marks the email as verified.
    pub fn verify_email(&self) {
        self.change(|row| row.email_verified = true);
    }

    /// Deletes the user with all sessions. The email can be used again.
    pub fn delete(&self) {
        self.change(|row| row.is_deleted = true);
        self.deployment.store.memory().remove_user(&self.id);
        self.deployment.free_address(&self.email);
    }

    /// The token in Better Auth's verification mail. It is signed with the deployment's secret and
    /// **must be rejected** as a bearer token: otherwise every reader of the link could act as the
    /// user.
    pub fn email_verification_token(&self) -> Credential {
        let claims = JsonObject::new().with("email", self.email());
        self.mail_token(claims)
    }

    /// The token in Better Auth's mail to a new email before the change. It **must be rejected** as
    /// a bearer token: it names the user, but the recipient may be an attacker.
    pub fn change_email_token(&self, new_email: &str) -> Credential {
        let claims = JsonObject::new()
            .with("email", self.email())
            .with("updateTo", new_email)
            .with("requestType", "change-email-verification");
        self.mail_token(claims)
    }

    fn mail_token(&self, claims: JsonObject) -> Credential {
        let issued_at = self.deployment.now().as_unix_seconds();
        let claims = claims
            .with("userId", self.id())
            .with("iat", issued_at)
            .with("exp", issued_at + MAIL_LIFETIME);
        let header = JsonObject::new().with("alg", "HS256");
        Credential::bearer(self.deployment.secret_jws(&header, &claims))
    }

    /// The columns as in Better Auth's tokens and caches.
    pub(super) fn to_json_object(&self) -> JsonObject {
        self.row().to_json_object()
    }

    /// Panics if the user was deleted.
    #[track_caller]
    pub(super) fn assert_exists(&self) {
        if self.row().is_deleted {
            fail(&format!("{} was deleted", self.email));
        }
    }

    #[track_caller]
    fn change(&self, change: impl FnOnce(&mut UserRow)) {
        self.assert_exists();
        let mut row = self.row();
        change(&mut row);
        self.deployment.store.memory().insert_user(row.to_user());
    }

    fn row(&self) -> MutexGuard<'_, UserRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UserRow {
    fn to_user(&self) -> User {
        let mut user = User::new(self.id.as_str(), self.email.as_str())
            .with_name(self.name.as_str())
            .with_email_verified(self.email_verified)
            .with_role(self.role.as_str());
        if let Some(image) = &self.image {
            user = user.with_image(image.as_str());
        }
        if self.is_banned {
            user = user.with_ban(None);
        }
        for (name, value) in &self.fields {
            user = user.with_field(name.as_str(), value.as_str());
        }
        user
    }

    fn to_json_object(&self) -> JsonObject {
        let created_at = iso_date(self.created_at);
        let mut row = JsonObject::new()
            .with("name", &self.name)
            .with("email", &self.email)
            .with("emailVerified", self.email_verified)
            .with("image", &self.image)
            .with("createdAt", &created_at)
            .with("updatedAt", &created_at)
            .with("role", &self.role)
            .with("banned", self.is_banned)
            .with("banReason", ())
            .with("banExpires", ())
            .with("isAnonymous", false)
            .with("twoFactorEnabled", false);
        for (name, value) in &self.fields {
            row.set(name, value);
        }
        row.with("id", &self.id)
    }
}

impl fmt::Debug for TestUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestUser")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Builder of a user, created by [`TestDeployment::user`](super::TestDeployment::user).
///
/// ```
/// use better_auth_layer::testing::TestDeployment;
///
/// let issuer = TestDeployment::new();
/// let ada = issuer.user("Ada@example.com").name("Ada").role("admin").verified().create();
/// assert_eq!(ada.email(), "ada@example.com"); // in lower case, as Better Auth stores it
/// ```
#[must_use = "a builder does nothing until `create` is called"]
pub struct UserBuilder {
    deployment: Arc<Deployment>,
    row: UserRow,
}

impl UserBuilder {
    pub(super) fn new(deployment: Arc<Deployment>, email: &str) -> Self {
        let name = email.split_once('@').map_or(email, |(name, _)| name);
        let row = UserRow {
            id: random::id(),
            email: email.to_lowercase(),
            name: name.to_owned(),
            created_at: deployment.now(),
            email_verified: false,
            image: None,
            role: "user".to_owned(),
            is_banned: false,
            is_deleted: false,
            fields: Vec::new(),
        };
        Self { deployment, row }
    }

    /// Sets the id. Default: a random id in Better Auth's format.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.row.id = id.into();
        self
    }

    /// Sets the display name. Default: the part of the email before the `@`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.row.name = name.into();
        self
    }

    /// Sets the URL of a picture. Default: none.
    pub fn image(mut self, url: impl Into<String>) -> Self {
        self.row.image = Some(url.into());
        self
    }

    /// Sets the role, or several roles separated by commas. Default: `user`, as in Better Auth's
    /// admin plugin.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.row.role = role.into();
        self
    }

    /// Marks the email as verified. Default: not verified, as after a sign-up.
    pub fn verified(mut self) -> Self {
        self.row.email_verified = true;
        self
    }

    /// Sets a custom field: [`User::field`](crate::User::field).
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.row.fields.push((name.into(), value.into()));
        self
    }

    /// Signs the user up, without a session. Call [`TestUser::sign_in`] to create one.
    ///
    /// # Panics
    ///
    /// If the email is in use.
    #[must_use]
    #[track_caller]
    pub fn create(self) -> TestUser {
        if !self.deployment.take_address(&self.row.email) {
            fail(&format!("there is a user {} already", self.row.email));
        }
        TestUser::new(self.deployment, self.row)
    }
}

impl fmt::Debug for UserBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserBuilder")
            .field("id", &self.row.id)
            .finish_non_exhaustive()
    }
}

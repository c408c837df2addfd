//! A user of the issuer's.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::deployment::{Deployment, iso_date};
use super::json_object::JsonObject;
use super::must::fail;
use super::{ApiKeyBuilder, Credential, SessionBuilder, TestSession};
use crate::clock::Timestamp;
use crate::identity::User;

/// How long a link in a mail is good (`emailVerification.expiresIn`), in seconds.
const MAIL_LIFETIME: i64 = 3600;

/// A user who has signed up; clones are the same user. Made by [`TestDeployment::user`](super::TestDeployment::user).
///
/// What is changed here is what the layer's next lookup finds.
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

    /// The user's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The e-mail address, in lower case.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The user as the layer finds it.
    #[must_use]
    pub fn to_user(&self) -> User {
        self.row().to_user()
    }

    /// Begins a session with Better Auth's defaults: it ends in seven days.
    ///
    /// # Panics
    ///
    /// When the user was deleted.
    #[must_use]
    #[track_caller]
    pub fn sign_in(&self) -> TestSession {
        self.session().create()
    }

    /// Begins a session of its own kind: `ada.session().impersonated_by(&admin).create()`.
    pub fn session(&self) -> SessionBuilder {
        SessionBuilder::new(Arc::clone(&self.deployment), self.clone())
    }

    /// Makes an API key: `ada.api_key().permission("files", "read").create()`.
    pub fn api_key(&self) -> ApiKeyBuilder {
        ApiKeyBuilder::new(Arc::clone(&self.deployment), self.clone())
    }

    /// Ends all sessions of the user. What remains of them, such as JWTs, finds no active session.
    pub fn sign_out_everywhere(&self) {
        self.deployment.store.memory().remove_sessions_of(&self.id);
    }

    /// Bans the user as Better Auth's admin plugin does it: all sessions end, too. So a session cookie is refused as one
    /// that is not valid any more (`401`), a JWT for want of a session (`404`), an API key since its owner is banned (`403`).
    pub fn ban(&self) {
        self.ban_by_sql();
        self.sign_out_everywhere();
    }

    /// Sets the column `banned` and nothing else, as somebody does who writes to the database: the sessions stay, and
    /// every credential is refused since the user is banned (`403`).
    pub fn ban_by_sql(&self) {
        self.change(|row| row.is_banned = true);
    }

    /// Lifts the ban. Sessions that have ended do not come back.
    pub fn unban(&self) {
        self.change(|row| row.is_banned = false);
    }

    /// Sets the role, or several between commas.
    pub fn set_role(&self, role: &str) {
        self.change(|row| role.clone_into(&mut row.role));
    }

    /// Marks the e-mail address as verified.
    pub fn verify_email(&self) {
        self.change(|row| row.email_verified = true);
    }

    /// Deletes the user with all sessions. The e-mail address is free again.
    pub fn delete(&self) {
        self.change(|row| row.is_deleted = true);
        self.deployment.store.memory().remove_user(&self.id);
        self.deployment.free_address(&self.email);
    }

    /// The token in the link that Better Auth mails to have the address verified. It is signed with the deployment's
    /// secret and **must be refused** as a bearer token: whoever sees the link would be the user.
    pub fn email_verification_token(&self) -> Credential {
        let claims = JsonObject::new().with("email", self.email());
        self.mail_token(claims)
    }

    /// The token in the link that Better Auth mails to a new address before it takes the old one's place. It **must be
    /// refused** as a bearer token: it goes to an address that may be an attacker's and says the user's own.
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

    /// The columns as Better Auth writes them into tokens and caches.
    pub(super) fn to_json_object(&self) -> JsonObject {
        self.row().to_json_object()
    }

    /// Ends the test unless the user exists.
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

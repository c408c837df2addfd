//! Signs a user up.

use std::fmt;
use std::sync::Arc;

use super::deployment::Deployment;
use super::must::fail;
use super::test_user::UserRow;
use super::{TestUser, random};

/// A user about to sign up; made by [`TestDeployment::user`](super::TestDeployment::user).
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

    /// Sets the id. Default: a random one of Better Auth's form.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.row.id = id.into();
        self
    }

    /// Sets the display name. Default: what stands before the `@`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.row.name = name.into();
        self
    }

    /// Sets the address of a picture. Default: none.
    pub fn image(mut self, url: impl Into<String>) -> Self {
        self.row.image = Some(url.into());
        self
    }

    /// Sets the role, or several between commas. Default: `user`, as in Better Auth's admin plugin.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.row.role = role.into();
        self
    }

    /// Marks the e-mail address as verified. Default: it is not, as after a sign-up.
    pub fn verified(mut self) -> Self {
        self.row.email_verified = true;
        self
    }

    /// Sets a field of the application's own: [`User::field`](crate::User::field).
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.row.fields.push((name.into(), value.into()));
        self
    }

    /// Signs the user up. There is no session yet: [`TestUser::sign_in`] begins one.
    ///
    /// # Panics
    ///
    /// When somebody has this e-mail address already.
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

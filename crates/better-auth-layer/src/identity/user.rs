//! A row of Better Auth's `user` table.

use std::fmt;

use super::fields::Fields;
use super::roles::roles;
use crate::clock::Timestamp;

/// A user, as the store read it.
///
/// Identity is the [`id`](Self::id). The e-mail address is an attribute: Better Auth lets anybody sign up with any
/// address, and until it is verified ([`email_verified`](Self::email_verified)) it proves nothing about its owner.
///
/// Stores build users; so do tests:
///
/// ```
/// use better_auth_layer::User;
///
/// let user = User::new("usr_1", "ada@example.com")
///     .with_name("Ada")
///     .with_email_verified(true)
///     .with_role("admin,editor");
/// assert!(user.roles().any(|role| role == "editor"));
/// ```
///
/// `Debug` shows the id alone.
#[derive(Clone)]
pub struct User {
    id: Box<str>,
    email: Box<str>,
    email_verified: bool,
    name: Option<Box<str>>,
    image: Option<Box<str>>,
    role: Option<Box<str>>,
    banned: bool,
    ban_expires: Option<Timestamp>,
    fields: Fields,
}

impl User {
    /// A user with what every store must know. The e-mail address counts as not verified.
    #[must_use]
    pub fn new(id: impl Into<Box<str>>, email: impl Into<Box<str>>) -> Self {
        Self {
            id: id.into(),
            email: email.into(),
            email_verified: false,
            name: None,
            image: None,
            role: None,
            banned: false,
            ban_expires: None,
            fields: Fields::default(),
        }
    }

    /// Sets whether the address is verified.
    #[must_use]
    pub fn with_email_verified(mut self, verified: bool) -> Self {
        self.email_verified = verified;
        self
    }

    /// Sets the display name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the address of a picture.
    #[must_use]
    pub fn with_image(mut self, image: impl Into<Box<str>>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// Sets the role column of the admin plugin: one role, or several between commas.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<Box<str>>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Bans the user, until a time or for good.
    #[must_use]
    pub fn with_ban(mut self, expires: Option<Timestamp>) -> Self {
        self.banned = true;
        self.ban_expires = expires;
        self
    }

    /// Sets a field of the application's own.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The user's id. Text, whatever type the database gives it, as on Better Auth's wire.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The e-mail address. Better Auth stores it in lower case.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Whether the address was verified. `false` where the store has no such column.
    #[must_use]
    pub fn email_verified(&self) -> bool {
        self.email_verified
    }

    /// The display name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address of a picture.
    #[must_use]
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// The role column of Better Auth's admin plugin, as it stands.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The single roles in the role column.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        roles(self.role())
    }

    /// A field of the application's own, as text: one of the columns that the store was asked to read as well
    /// ([`Schema::with_user_field`](crate::store::Schema::with_user_field)). `None` where it is null or was not asked for.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Whether a ban is in force. A ban without an end never passes.
    #[must_use]
    pub fn is_banned_at(&self, now: Timestamp) -> bool {
        self.banned && self.ban_expires.is_none_or(|expires| expires > now)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_ends_at_the_second_it_says() {
        let end = Timestamp::from_unix_seconds(100);
        let user = User::new("1", "a@example.com").with_ban(Some(end));
        assert!(user.is_banned_at(Timestamp::from_unix_millis(99_999)));
        assert!(!user.is_banned_at(end));
        let for_good = User::new("1", "a@example.com").with_ban(None);
        assert!(for_good.is_banned_at(Timestamp::MAX));
    }

    #[test]
    fn every_role_in_the_column_counts() {
        let user = User::new("1", "a@example.com").with_role("admin, editor,,");
        assert_eq!(user.roles().collect::<Vec<_>>(), ["admin", "editor"]);
    }
}

//! [`User`]: a row of Better Auth's `user` table.

use std::fmt;

use super::roles::roles;
use crate::clock::Timestamp;

/// A user, as read from the store.
///
/// The [`id`](Self::id) identifies the user. The email does not: Better Auth accepts any email at
/// sign-up, and an email that is not [verified](Self::email_verified) proves nothing.
///
/// Stores and tests create users with the builder methods:
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
/// `Debug` shows only the id.
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
    /// Additional fields. A list, because applications configure few of them.
    fields: Vec<(Box<str>, Box<str>)>,
}

impl User {
    /// Creates a user with the required fields. The email is not verified.
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
            fields: Vec::new(),
        }
    }

    /// Sets whether the email is verified.
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

    /// Sets the URL of the profile picture.
    #[must_use]
    pub fn with_image(mut self, image: impl Into<Box<str>>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// Sets the role column of the admin plugin: one role or a comma-separated list.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<Box<str>>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Bans the user until `expires`, or permanently for `None`.
    #[must_use]
    pub fn with_ban(mut self, expires: Option<Timestamp>) -> Self {
        self.banned = true;
        self.ban_expires = expires;
        self
    }

    /// Sets an additional field. A field with the same name is replaced.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        let name = name.into();
        self.fields.retain(|(other, _)| *other != name);
        self.fields.push((name, value.into()));
        self
    }

    /// The user id, as text for every column type. Better Auth's API returns the same text.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The email. Better Auth stores it in lower case.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Whether the email is verified. `false` if the store has no such column.
    #[must_use]
    pub fn email_verified(&self) -> bool {
        self.email_verified
    }

    /// The display name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The URL of the profile picture.
    #[must_use]
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// The unparsed role column of Better Auth's admin plugin.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The roles in the comma-separated role column.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        roles(self.role())
    }

    /// An additional field as text.
    ///
    /// [`Schema::with_user_field`](crate::store::Schema::with_user_field) configures the columns
    /// that the store reads. `None` if the column is null or not configured.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(other, _)| **other == *name)
            .map(|(_, value)| &**value)
    }

    /// Whether the user is banned at `now`. A ban without an expiry is permanent.
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
    fn ban_ends_at_its_expiry() {
        let end = Timestamp::from_unix_seconds(100);
        let user = User::new("1", "a@example.com").with_ban(Some(end));
        assert!(user.is_banned_at(Timestamp::from_unix_millis(99_999)));
        assert!(!user.is_banned_at(end));
        let permanent = User::new("1", "a@example.com").with_ban(None);
        assert!(permanent.is_banned_at(Timestamp::MAX));
    }

    #[test]
    fn roles_are_comma_separated() {
        let user = User::new("1", "a@example.com").with_role("admin, editor,,");
        assert_eq!(user.roles().collect::<Vec<_>>(), ["admin", "editor"]);
    }
}

//! A row of Better Auth's `member` table.

use super::roles::roles;

/// A user's membership in an organization (Better Auth's organization plugin), as the store read it.
///
/// Stores build members; so do tests:
///
/// ```
/// use better_auth_layer::organization::Member;
///
/// let member = Member::new("usr_1", "org_1").with_role("admin,billing");
/// assert!(member.has_role("billing"));
/// assert!(!member.has_role("owner"));
/// ```
///
/// `Debug` shows all of it: ids and roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    user_id: Box<str>,
    organization_id: Box<str>,
    role: Option<Box<str>>,
}

impl Member {
    /// A member without any role.
    #[must_use]
    pub fn new(user_id: impl Into<Box<str>>, organization_id: impl Into<Box<str>>) -> Self {
        Self {
            user_id: user_id.into(),
            organization_id: organization_id.into(),
            role: None,
        }
    }

    /// Sets the role column: one role, or several between commas.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<Box<str>>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// The user's id.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The organization's id.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        &self.organization_id
    }

    /// The role column. Better Auth's own roles are `owner`, `admin` and `member`.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The single roles in the role column.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        roles(self.role())
    }

    /// Whether the member has exactly this role. Roles do not imply each other: an `owner` has the role
    /// `admin` only if the column contains both.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|own| own == role)
    }

    /// Whether this is the membership of exactly this user in exactly this organization.
    pub(crate) fn is_of(&self, user_id: &str, organization_id: &str) -> bool {
        *self.user_id == *user_id && *self.organization_id == *organization_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_comma_separated() {
        let member = Member::new("u", "o").with_role("admin, billing,");
        assert_eq!(member.roles().collect::<Vec<_>>(), ["admin", "billing"]);
        assert!(member.has_role("admin") && member.has_role("billing"));
        for other in [
            "",
            "Admin",
            "adm",
            "admin,",
            "admin, billing,",
            " billing",
            "owner",
        ] {
            assert!(!member.has_role(other), "{other:?}");
        }
        let without = Member::new("u", "o");
        assert!(without.role().is_none() && !without.has_role("") && !without.has_role("member"));
    }
}

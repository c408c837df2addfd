//! The columns that a SQL store knows.

/// A column of the `user` or the `session` table, for [`Schema::with_column`](crate::store::Schema::with_column).
///
/// ```
/// use better_auth_layer::store::{Column, Naming, Schema};
///
/// let schema = Schema::camel().with_column(Column::UserEmail, "emailAddress");
/// assert_eq!(schema.column(Column::UserEmail), Some("emailAddress"));
/// assert_eq!(Column::SessionExpiresAt.default_name(Naming::Snake), "expires_at");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Column {
    /// The user's id. Required.
    UserId,
    /// The user's e-mail address. Required.
    UserEmail,
    /// Whether the address is verified.
    UserEmailVerified,
    /// The user's display name.
    UserName,
    /// The address of the user's picture.
    UserImage,
    /// The user's role or roles (admin plugin).
    UserRole,
    /// Whether the user is banned (admin plugin).
    UserBanned,
    /// When the ban ends (admin plugin).
    UserBanExpires,
    /// The session's id. Required.
    SessionId,
    /// Whose session it is. Required.
    SessionUserId,
    /// When the session ends. Required.
    SessionExpiresAt,
    /// The session's token.
    SessionToken,
    /// When the user signed in.
    SessionCreatedAt,
    /// The administrator who acts as the user (admin plugin).
    SessionImpersonatedBy,
    /// The active organization (organization plugin).
    SessionActiveOrganizationId,
}

impl Column {
    /// All of them: the user's, then the session's.
    pub const ALL: &'static [Self] = &[
        Self::UserId,
        Self::UserEmail,
        Self::UserEmailVerified,
        Self::UserName,
        Self::UserImage,
        Self::UserRole,
        Self::UserBanned,
        Self::UserBanExpires,
        Self::SessionId,
        Self::SessionUserId,
        Self::SessionExpiresAt,
        Self::SessionToken,
        Self::SessionCreatedAt,
        Self::SessionImpersonatedBy,
        Self::SessionActiveOrganizationId,
    ];

    /// The name that the column has under a way of naming.
    #[must_use]
    pub const fn default_name(self, naming: Naming) -> &'static str {
        let (camel, snake) = match self {
            Self::UserId | Self::SessionId => ("id", "id"),
            Self::UserEmail => ("email", "email"),
            Self::UserEmailVerified => ("emailVerified", "email_verified"),
            Self::UserName => ("name", "name"),
            Self::UserImage => ("image", "image"),
            Self::UserRole => ("role", "role"),
            Self::UserBanned => ("banned", "banned"),
            Self::UserBanExpires => ("banExpires", "ban_expires"),
            Self::SessionUserId => ("userId", "user_id"),
            Self::SessionExpiresAt => ("expiresAt", "expires_at"),
            Self::SessionToken => ("token", "token"),
            Self::SessionCreatedAt => ("createdAt", "created_at"),
            Self::SessionImpersonatedBy => ("impersonatedBy", "impersonated_by"),
            Self::SessionActiveOrganizationId => ("activeOrganizationId", "active_organization_id"),
        };
        match naming {
            Naming::Camel => camel,
            Naming::Snake => snake,
        }
    }

    /// Whether a store cannot do without it.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(
            self,
            Self::UserId
                | Self::UserEmail
                | Self::SessionId
                | Self::SessionUserId
                | Self::SessionExpiresAt
        )
    }

    /// Whether it belongs to the table of users; else it belongs to the table of sessions.
    #[must_use]
    pub const fn is_in_user_table(self) -> bool {
        matches!(
            self,
            Self::UserId
                | Self::UserEmail
                | Self::UserEmailVerified
                | Self::UserName
                | Self::UserImage
                | Self::UserRole
                | Self::UserBanned
                | Self::UserBanExpires
        )
    }
}

/// How columns are named.
///
/// ```
/// use better_auth_layer::store::{Naming, Schema};
///
/// assert_eq!(Schema::snake().naming(), Some(Naming::Snake));
/// assert_eq!(Schema::auto().naming(), None); // found out from the database
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Naming {
    /// `expiresAt`
    Camel,
    /// `expires_at`
    Snake,
}

impl Naming {
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Camel => Self::Snake,
            Self::Snake => Self::Camel,
        }
    }
}

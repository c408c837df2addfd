//! Users and sessions from the rows of a SQL database.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::identity::{Session, SessionToken, User};
use crate::store::schema::Column;

/// A row of a lookup's answer, with every column cast to text or, for times, read as a time.
pub(crate) trait Record {
    /// What reading fails with.
    type Error;

    /// What stands at a place as text; `None` where it is null.
    fn text_at(&self, index: usize) -> Result<Option<Cow<'_, str>>, Self::Error>;

    /// What stands at a place as a time; `None` where it is null or holds no time.
    fn time_at(&self, index: usize) -> Result<Option<Timestamp>, Self::Error>;

    /// A column as text; `None` where it is null or does not exist.
    fn text(&self, column: Column) -> Result<Option<Cow<'_, str>>, Self::Error> {
        self.text_at(column as usize)
    }

    /// A column as a time; `None` where it is null, does not exist or holds no time.
    fn time(&self, column: Column) -> Result<Option<Timestamp>, Self::Error> {
        self.time_at(column as usize)
    }
}

/// How many columns a user has; they come first in every row.
pub(crate) const USER_COLUMNS: usize = 8;

/// Reads the user; `None` where the row has none. The application's own fields stand from `first_field` on.
pub(crate) fn read_user<R: Record>(
    record: &R,
    first_field: usize,
    fields: &[String],
) -> Result<Option<User>, R::Error> {
    let Some(id) = record.text(Column::UserId)? else {
        return Ok(None);
    };
    let email = record.text(Column::UserEmail)?.unwrap_or_default();
    let verified = record.text(Column::UserEmailVerified)?;
    let mut user = User::new(id, email)
        .with_email_verified(verified.is_some_and(|value| is_plainly_yes(&value)));
    if let Some(name) = record.text(Column::UserName)? {
        user = user.with_name(name);
    }
    if let Some(image) = record.text(Column::UserImage)? {
        user = user.with_image(image);
    }
    if let Some(role) = record.text(Column::UserRole)? {
        user = user.with_role(role);
    }
    let banned = record.text(Column::UserBanned)?;
    if banned.is_some_and(|value| !is_plainly_no(&value)) {
        user = user.with_ban(record.time(Column::UserBanExpires)?);
    }
    for (index, name) in fields.iter().enumerate() {
        if let Some(value) = record.text_at(first_field + index)? {
            user = user.with_field(name.as_str(), value);
        }
    }
    Ok(Some(user))
}

/// Reads the session; `None` where the row has none, or one whose end is no time.
pub(crate) fn read_session<R: Record>(record: &R) -> Result<Option<Session>, R::Error> {
    let (Some(id), Some(expires_at)) = (
        record.text(Column::SessionId)?,
        record.time(Column::SessionExpiresAt)?,
    ) else {
        return Ok(None);
    };
    let user_id = record.text(Column::SessionUserId)?.unwrap_or_default();
    let mut session = Session::new(id, user_id, expires_at);
    if let Some(token) = record.text(Column::SessionToken)? {
        session = session.with_token(SessionToken::new(token));
    }
    if let Some(created_at) = record.time(Column::SessionCreatedAt)? {
        session = session.with_created_at(created_at);
    }
    if let Some(admin) = record.text(Column::SessionImpersonatedBy)? {
        session = session.with_impersonated_by(admin);
    }
    if let Some(id) = record.text(Column::SessionActiveOrganizationId)? {
        session = session.with_active_organization_id(id);
    }
    Ok(Some(session))
}

/// Only a value that says so verifies an address.
fn is_plainly_yes(value: &str) -> bool {
    matches!(value, "true" | "t" | "1" | "1.0")
}

/// Whatever does not plainly say that nobody is banned is a ban.
fn is_plainly_no(value: &str) -> bool {
    matches!(value, "false" | "f" | "0" | "0.0" | "")
}

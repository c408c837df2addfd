//! A row of a lookup's answer.

use rusqlite::Row;
use rusqlite::types::FromSql;

use crate::clock::Timestamp;
use crate::identity::{Session, SessionToken, User};
use crate::store::Column;

/// Reads the user; `None` where the row has none.
pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<Option<User>> {
    let Some(id) = text(row, Column::UserId)? else {
        return Ok(None);
    };
    let email = text(row, Column::UserEmail)?.unwrap_or_default();
    let verified = text(row, Column::UserEmailVerified)?;
    let mut user = User::new(id, email)
        .with_email_verified(verified.is_some_and(|value| value == "1" || value == "true"));
    if let Some(name) = text(row, Column::UserName)? {
        user = user.with_name(name);
    }
    if let Some(image) = text(row, Column::UserImage)? {
        user = user.with_image(image);
    }
    if let Some(role) = text(row, Column::UserRole)? {
        user = user.with_role(role);
    }
    // Whatever is not plainly a "no" is a ban.
    let banned = text(row, Column::UserBanned)?;
    if banned.is_some_and(|value| !matches!(value.as_str(), "0" | "0.0" | "false" | "")) {
        user = user.with_ban(time(row, Column::UserBanExpires)?);
    }
    Ok(Some(user))
}

/// Reads the session; `None` where the row has none.
pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Option<Session>> {
    let (Some(id), Some(expires_at)) = (
        text(row, Column::SessionId)?,
        time(row, Column::SessionExpiresAt)?,
    ) else {
        return Ok(None);
    };
    let user_id = text(row, Column::SessionUserId)?.unwrap_or_default();
    let mut session = Session::new(id, user_id, expires_at);
    if let Some(token) = text(row, Column::SessionToken)? {
        session = session.with_token(SessionToken::new(token));
    }
    if let Some(created_at) = time(row, Column::SessionCreatedAt)? {
        session = session.with_created_at(created_at);
    }
    if let Some(admin) = text(row, Column::SessionImpersonatedBy)? {
        session = session.with_impersonated_by(admin);
    }
    if let Some(id) = text(row, Column::SessionActiveOrganizationId)? {
        session = session.with_active_organization_id(id);
    }
    Ok(Some(session))
}

fn text(row: &Row<'_>, column: Column) -> rusqlite::Result<Option<String>> {
    get(row, column)
}

fn time(row: &Row<'_>, column: Column) -> rusqlite::Result<Option<Timestamp>> {
    Ok(get(row, column)?.and_then(Timestamp::from_unix_seconds_f64))
}

fn get<T: FromSql>(row: &Row<'_>, column: Column) -> rusqlite::Result<Option<T>> {
    row.get(column as usize)
}

//! A row of a lookup's answer.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::clock::Timestamp;
use crate::identity::{Session, SessionToken, User};
use crate::store::{Column, StoreError, StoreErrorKind};

/// Reads the user; `None` where the row has none.
pub(super) fn user(row: &Row) -> Result<Option<User>, StoreError> {
    let Some(id) = text(row, Column::UserId)? else {
        return Ok(None);
    };
    let email = text(row, Column::UserEmail)?.unwrap_or_default();
    let verified = text(row, Column::UserEmailVerified)?;
    let mut user = User::new(id, email)
        .with_email_verified(verified.is_some_and(|value| matches!(value, "true" | "t" | "1")));
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
    if banned.is_some_and(|value| !matches!(value, "false" | "f" | "0" | "")) {
        user = user.with_ban(time(row, Column::UserBanExpires)?);
    }
    Ok(Some(user))
}

/// Reads the session; `None` where the row has none.
pub(super) fn session(row: &Row) -> Result<Option<Session>, StoreError> {
    let Some(id) = text(row, Column::SessionId)? else {
        return Ok(None);
    };
    let Some(expires_at) = time(row, Column::SessionExpiresAt)? else {
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

fn text(row: &Row, column: Column) -> Result<Option<&str>, StoreError> {
    get(row, column)
}

fn time(row: &Row, column: Column) -> Result<Option<Timestamp>, StoreError> {
    Ok(get::<f64>(row, column)?.and_then(Timestamp::from_unix_seconds_f64))
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: Column) -> Result<Option<T>, StoreError> {
    row.try_get(column as usize)
        .map_err(|_| StoreErrorKind::Schema.into())
}

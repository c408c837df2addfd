//! Reading users and sessions from the rows of a statement.
//!
//! Statements cast every column to text or, for times, to seconds since the epoch, so a row does
//! not depend on the types of the table's columns. Columns are read in the order in which
//! `Statements` selects them.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::identity::{Session, SessionToken, User};

/// A row of a database driver.
pub(crate) trait Row {
    type Error;

    /// The text in a column; `None` for null.
    fn text_at(&self, index: usize) -> Result<Option<Cow<'_, str>>, Self::Error>;

    /// The time in a column; `None` for null or if the number is not a time.
    fn time_at(&self, index: usize) -> Result<Option<Timestamp>, Self::Error>;
}

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'a, R> {
    row: &'a R,
    next: usize,
}

impl<'a, R: Row> Columns<'a, R> {
    pub(super) fn of(row: &'a R) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn text(&mut self) -> Result<Option<Cow<'a, str>>, R::Error> {
        self.next += 1;
        self.row.text_at(self.next - 1)
    }

    pub(super) fn time(&mut self) -> Result<Option<Timestamp>, R::Error> {
        self.next += 1;
        self.row.time_at(self.next - 1)
    }
}

/// Reads the columns of `UserTable`; `None` if the row has no user.
pub(super) fn read_user<R: Row>(
    columns: &mut Columns<'_, R>,
    fields: &[String],
) -> Result<Option<User>, R::Error> {
    let id = columns.text()?;
    let email = columns.text()?;
    let email_verified = columns.text()?.is_some_and(|value| is_true(&value));
    let [name, image, role] = [columns.text()?, columns.text()?, columns.text()?];
    // Any value other than a clear "no" is a ban.
    let is_banned = columns
        .text()?
        .is_some_and(|value| !value.is_empty() && !is_false(&value));
    let ban_expires = columns.time()?;
    let mut user = User::new(id.as_deref().unwrap_or_default(), email.unwrap_or_default())
        .with_email_verified(email_verified);
    if let Some(name) = name {
        user = user.with_name(name);
    }
    if let Some(image) = image {
        user = user.with_image(image);
    }
    if let Some(role) = role {
        user = user.with_role(role);
    }
    if is_banned {
        user = user.with_ban(ban_expires);
    }
    for field in fields {
        if let Some(value) = columns.text()? {
            user = user.with_field(field.as_str(), value);
        }
    }
    Ok(id.map(|_| user))
}

/// Reads the columns of `SessionTable`; `None` if the row has no session, or one without a valid
/// expiry.
pub(super) fn read_session<R: Row>(
    columns: &mut Columns<'_, R>,
) -> Result<Option<Session>, R::Error> {
    let (id, user_id, expires_at) = (columns.text()?, columns.text()?, columns.time()?);
    let (token, created_at) = (columns.text()?, columns.time()?);
    let [impersonated_by, organization_id] = [columns.text()?, columns.text()?];
    let (Some(id), Some(expires_at)) = (id, expires_at) else {
        return Ok(None);
    };
    let mut session = Session::new(id, user_id.unwrap_or_default(), expires_at);
    if let Some(token) = token {
        session = session.with_token(SessionToken::new(token));
    }
    if let Some(created_at) = created_at {
        session = session.with_created_at(created_at);
    }
    if let Some(admin) = impersonated_by {
        session = session.with_impersonated_by(admin);
    }
    if let Some(id) = organization_id {
        session = session.with_active_organization_id(id);
    }
    Ok(Some(session))
}

/// Whether a boolean column is certainly true. Databases store booleans as `t`, `true`, `1` or `1.0`.
pub(super) fn is_true(value: &str) -> bool {
    matches!(value, "true" | "t" | "1" | "1.0")
}

/// Whether a boolean column is certainly false.
pub(super) fn is_false(value: &str) -> bool {
    matches!(value, "false" | "f" | "0" | "0.0")
}

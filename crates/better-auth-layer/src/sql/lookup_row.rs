//! The result of a lookup, from the rows of its statement.

use super::api_key_row::read_api_key;
use super::row::{Columns, Row, read_session, read_user};
use crate::api_key::ApiKey;
use crate::identity::{Session, User};
use crate::store::{Lookup, LookupKey, LookupKind, Resolution, StoreError, StoreErrorKind};

/// A user, and the session or the API key that the lookup was about.
pub(crate) struct LookupRow {
    user: Option<User>,
    found: Found,
}

enum Found {
    Session(Option<Session>),
    /// `None`: the row has values that cannot be those of an API key.
    ApiKey(Option<ApiKey>),
}

impl LookupRow {
    /// Reads a row of the lookup's statement. `fields` are the user's columns that the application
    /// added.
    pub(crate) fn read<R: Row>(
        row: &R,
        lookup: &Lookup<'_>,
        fields: &[String],
    ) -> Result<Self, R::Error> {
        let mut columns = Columns::of(row);
        let user = read_user(&mut columns, fields)?;
        let found = match lookup.key().kind() {
            LookupKind::ApiKey => Found::ApiKey(read_api_key(&mut columns)?),
            _ => Found::Session(read_session(&mut columns)?),
        };
        Ok(Self { user, found })
    }

    /// Whether the row has exactly the key that was looked up.
    ///
    /// A database compares in its own way: `007` equals the number 7, `citext` and `NOCASE` ignore
    /// case, `char(n)` ignores trailing blanks.
    fn has_key(&self, key: &LookupKey<'_>) -> bool {
        let user = self.user.as_ref();
        match (key, &self.found) {
            (LookupKey::Email(email), _) => user.is_some_and(|user| email.matches(user.email())),
            (LookupKey::UserId(id), _) => user.is_some_and(|user| id == user.id()),
            (LookupKey::SessionToken(token), Found::Session(session)) => session
                .as_ref()
                .and_then(Session::token)
                .is_some_and(|found| found.expose() == token.expose()),
            // A row that cannot be read is an error, so it counts.
            (LookupKey::ApiKey(hash), Found::ApiKey(key)) => {
                key.as_ref().is_none_or(|key| *key.hash() == **hash)
            }
            _ => false,
        }
    }
}

/// The resolution that the rows of a lookup's statement mean.
///
/// Several rows for one key are an error: which of the users is meant is unknown. For an email the
/// exact spelling takes precedence over the lower-case one.
pub(crate) fn resolution(
    rows: impl IntoIterator<Item = LookupRow>,
    lookup: &Lookup<'_>,
) -> Result<Resolution, StoreError> {
    let key = lookup.key();
    let mut rows: Vec<LookupRow> = rows.into_iter().filter(|row| row.has_key(key)).collect();
    if let LookupKey::Email(email) = key {
        let is_exact = |row: &LookupRow| {
            let user = row.user.as_ref();
            user.is_some_and(|user| user.email() == email.as_str())
        };
        if rows.iter().any(is_exact) {
            rows.retain(is_exact);
        }
    }
    let Some(LookupRow { user, found }) = rows.pop() else {
        return Ok(not_found(key.kind()));
    };
    if !rows.is_empty() {
        let cause = format!("several rows match a lookup {}", key.kind());
        return Err(StoreError::new(StoreErrorKind::WrongAnswer, cause));
    }
    let session = match (user, found) {
        (_, Found::ApiKey(None)) => {
            let cause = "the row of an API key has invalid values";
            return Err(StoreError::new(StoreErrorKind::Schema, cause));
        }
        (None, _) => return Ok(Resolution::UserNotFound),
        (Some(user), Found::ApiKey(Some(key))) => return Ok(Resolution::found_api_key(user, key)),
        (Some(user), Found::Session(session)) => session.map(|session| (user, session)),
    };
    let session_id = lookup.session_id();
    let session = session.filter(|(_, session)| session_id.is_none_or(|id| id == session.id()));
    Ok(match session {
        Some((user, session)) => Resolution::found(user, session),
        None => Resolution::NoActiveSession,
    })
}

/// The resolution of a lookup whose statement has no rows.
pub(crate) fn not_found(kind: LookupKind) -> Resolution {
    match kind {
        LookupKind::SessionToken => Resolution::NoActiveSession,
        LookupKind::ApiKey => Resolution::ApiKeyNotFound,
        LookupKind::Email | LookupKind::UserId => Resolution::UserNotFound,
    }
}

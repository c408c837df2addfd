//! A lookup that is asked on a connection, and what the rows mean.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connections::Connection;
use super::failure::Failure;
use super::parameters::Text;
use super::tables::Tables;
use crate::sql::{Column, ColumnType, LookupRow, ResolvedSchema, not_found, resolution};
use crate::store::{Lookup, LookupKey, LookupKind, Resolution, StoreError};

/// Asks for one lookup with a statement of its own.
pub(super) async fn resolve(
    connection: &Connection,
    tables: &Tables,
    lookup: &Lookup<'_>,
) -> Result<Result<Resolution, StoreError>, Failure> {
    match ask(connection, tables, lookup, lookup.session_id()).await {
        // No session can have this id, or no user that one; whether there is such a user is still to be said.
        Err(Failure::BadText | Failure::BadValue(_)) if lookup.session_id().is_some() => {
            let resolution = ask(connection, tables, lookup, None).await;
            nobody_if_unspeakable(resolution, lookup).map(|resolution| {
                resolution.map(|resolution| match resolution {
                    Resolution::Found { .. } => Resolution::NoActiveSession,
                    other => other,
                })
            })
        }
        resolution => nobody_if_unspeakable(resolution, lookup),
    }
}

/// A key that the server cannot even read is nobody's.
fn nobody_if_unspeakable(
    resolution: Result<Result<Resolution, StoreError>, Failure>,
    lookup: &Lookup<'_>,
) -> Result<Result<Resolution, StoreError>, Failure> {
    match resolution {
        Err(Failure::BadText | Failure::BadValue(_)) => Ok(Ok(not_found(lookup.key().kind()))),
        resolution => resolution,
    }
}

async fn ask(
    connection: &Connection,
    tables: &Tables,
    lookup: &Lookup<'_>,
    session_id: Option<&str>,
) -> Result<Result<Resolution, StoreError>, Failure> {
    let form = match tables.statements.get(lookup, session_id.is_some()) {
        Ok(form) => form,
        Err(lack) => return Ok(Err(lack)),
    };
    let now = lookup.now().as_unix_seconds_f64();
    let (key, lower_cased) = key_texts(lookup);
    let (key, lower_cased) = (Text(key), Text(lower_cased));
    let session_id_text = session_id.map(Text);
    let mut parameters = vec![key.parameter()];
    if lookup.key().kind() == LookupKind::Email {
        parameters.push(lower_cased.parameter());
    }
    if lookup.key().kind() != LookupKind::ApiKey {
        parameters.push((&now, Type::FLOAT8));
    }
    if narrows(lookup)
        && let Some(session_id) = &session_id_text
    {
        parameters.push(session_id.parameter());
    }
    match connection.query_often(&form.sql, &parameters).await {
        Ok(rows) => Ok(answer_of(&rows, tables, lookup)),
        // Text is converted to text without fail: what failed is something behind a view, and not the key.
        Err(Failure::BadValue(error)) if !is_converted(tables, lookup, session_id) => {
            Err(Failure::Other(error))
        }
        Err(failure) => Err(failure),
    }
}

/// What the rows for a lookup mean.
pub(super) fn answer_of<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    tables: &Tables,
    lookup: &Lookup<'_>,
) -> Result<Resolution, StoreError> {
    let read = |row| LookupRow::read(row, lookup, &tables.user_fields);
    let rows = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    resolution(rows, lookup)
}

/// What is looked for: of an e-mail address both spellings.
pub(super) fn key_texts<'a>(lookup: &'a Lookup<'_>) -> (&'a str, &'a str) {
    match lookup.key() {
        LookupKey::Email(email) => (email.as_str(), email.to_lowercase()),
        LookupKey::UserId(id) => (id, id),
        LookupKey::ApiKey(hash) => (hash.as_str(), hash.as_str()),
        LookupKey::SessionToken(token) => (token.expose(), token.expose()),
    }
}

/// Whether the statement for this kind of lookup can ask for one session of the user.
pub(super) fn narrows(lookup: &Lookup<'_>) -> bool {
    matches!(lookup.key().kind(), LookupKind::Email | LookupKind::UserId)
}

/// Whether the server makes something else than text of a key.
fn is_converted(tables: &Tables, lookup: &Lookup<'_>, session_id: Option<&str>) -> bool {
    let ResolvedSchema { user, session } = &tables.schema;
    let is_text = |column: &Column| column.kind == ColumnType::Text;
    let is_text_key = match lookup.key().kind() {
        LookupKind::Email => is_text(&user.email),
        LookupKind::UserId => is_text(&user.id),
        // A hash is looked up as the text that it is.
        LookupKind::SessionToken | LookupKind::ApiKey => {
            session.token.as_ref().is_some_and(is_text)
        }
    };
    !is_text_key || session_id.is_some() && !is_text(&session.id)
}

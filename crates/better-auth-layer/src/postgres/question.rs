//! A lookup that is asked on a connection, and what the rows mean.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::column_type::ColumnType;
use super::connections::Connection;
use super::failure::Failure;
use super::parameters::Text;
use super::tables::Tables;
use crate::store::sql::{
    ApiKeyColumn, Pair, USER_COLUMNS, answer, api_key_answer, read_api_key, read_session, read_user,
};
use crate::store::{Column, Lookup, LookupKey, LookupKind, Resolution, StoreError};

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
        Err(Failure::BadText | Failure::BadValue(_)) => Ok(Ok(nothing(lookup))),
        resolution => resolution,
    }
}

async fn ask(
    connection: &Connection,
    tables: &Tables,
    lookup: &Lookup<'_>,
    session_id: Option<&str>,
) -> Result<Result<Resolution, StoreError>, Failure> {
    let form = match tables.sql.form(lookup, session_id.is_some()) {
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
    match connection.query_often(&form.alone, &parameters).await {
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
    let rows = rows.into_iter();
    if let LookupKey::ApiKey(hash) = lookup.key() {
        let first_field = USER_COLUMNS + ApiKeyColumn::ALL.len();
        let rows: Vec<_> = rows
            .map(|row| {
                let user = read_user(row, first_field, &tables.user_fields)?;
                Ok((user, read_api_key(row, USER_COLUMNS)?))
            })
            .collect::<Result<_, StoreError>>()?;
        return api_key_answer(rows, hash);
    }
    let pairs: Vec<Pair> = rows
        .map(|row| {
            let user = read_user(row, Column::ALL.len(), &tables.user_fields)?;
            Ok((user, read_session(row)?))
        })
        .collect::<Result<_, StoreError>>()?;
    answer(pairs, lookup)
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
    let is_text = |column| tables.layout.column_type(column) == ColumnType::Text;
    !is_text(key_column(lookup)) || session_id.is_some() && !is_text(Column::SessionId)
}

fn key_column(lookup: &Lookup<'_>) -> Column {
    match lookup.key().kind() {
        LookupKind::Email => Column::UserEmail,
        LookupKind::UserId => Column::UserId,
        // A hash is looked up as the text that it is.
        LookupKind::SessionToken | LookupKind::ApiKey => Column::SessionToken,
    }
}

/// What it means that there is no row at all.
fn nothing(lookup: &Lookup<'_>) -> Resolution {
    match lookup.key().kind() {
        LookupKind::SessionToken => Resolution::NoActiveSession,
        LookupKind::ApiKey => Resolution::ApiKeyNotFound,
        LookupKind::Email | LookupKind::UserId => Resolution::UserNotFound,
    }
}

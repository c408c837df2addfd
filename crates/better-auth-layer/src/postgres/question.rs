//! What is asked on a connection, and what the rows mean.

use std::fmt;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::column_type::ColumnType;
use super::connections::Connection;
use super::failure::Failure;
use super::tables::Tables;
use crate::clock::Timestamp;
use crate::identity::ApiKeyHash;
use crate::store::sql::{
    ApiKeyColumn, Pair, USER_COLUMNS, answer, api_key_answer, read_api_key, read_session, read_user,
};
use crate::store::{Column, Lookup, LookupKey, LookupKind, Resolution, StoreError, StoreErrorKind};

/// What is asked on a connection.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    Lookup(&'a Lookup<'a>),
    /// Whether the tables are there and may be read.
    Check,
}

impl Question<'_> {
    /// The time to judge the age of what is known by. A check takes what is known, however old.
    pub(super) fn now(self) -> Option<Timestamp> {
        match self {
            Self::Lookup(lookup) => Some(lookup.now()),
            Self::Check => None,
        }
    }

    pub(super) async fn ask(
        self,
        connection: &Connection,
        tables: &Tables,
    ) -> Result<Result<Option<Resolution>, StoreError>, Failure> {
        match self {
            Self::Lookup(lookup) => {
                let answer = resolve(connection, tables, lookup).await?;
                Ok(answer.map(Some))
            }
            Self::Check => {
                connection.query(&tables.statements.check, &[]).await?;
                Ok(Ok(None))
            }
        }
    }
}

async fn resolve(
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
    let statements = &tables.statements;
    let now = lookup.now().as_unix_seconds_f64();
    let now: (&(dyn ToSql + Sync), Type) = (&now, Type::FLOAT8);
    let session = session_id.map(Text);
    let session = session.as_ref().map(Text::parameter);
    let rows = match lookup.key() {
        LookupKey::Email(email) => {
            let (as_given, lower_cased) = (Text(email.as_given()), Text(email.lower_cased()));
            let keys = [as_given.parameter(), lower_cased.parameter(), now];
            match session {
                None => connection.query(&statements.by_email, &keys).await,
                Some(session) => {
                    let [as_given, lower_cased, now] = keys;
                    let keys = [as_given, lower_cased, now, session];
                    connection
                        .query(&statements.by_email_and_session, &keys)
                        .await
                }
            }
        }
        LookupKey::UserId(id) => {
            let id = Text(id);
            match session {
                None => {
                    connection
                        .query(&statements.by_user_id, &[id.parameter(), now])
                        .await
                }
                Some(session) => {
                    let keys = [id.parameter(), now, session];
                    connection
                        .query(&statements.by_user_id_and_session, &keys)
                        .await
                }
            }
        }
        LookupKey::ApiKey(hash) => return ask_for_api_key(connection, tables, hash).await,
        LookupKey::SessionToken(token) => {
            let Some(sql) = &statements.by_token else {
                let cause = "the session table has no `token` column";
                return Ok(Err(StoreError::new(StoreErrorKind::Unsupported, cause)));
            };
            let token = Text(token.expose());
            connection.query(sql, &[token.parameter(), now]).await
        }
    };
    match rows {
        Ok(rows) => Ok(rows
            .iter()
            .map(|row| {
                let user = read_user(row, Column::ALL.len(), &tables.user_fields)?;
                Ok((user, read_session(row)?))
            })
            .collect::<Result<Vec<Pair>, _>>()
            .and_then(|pairs| answer(pairs, lookup))),
        // Text is converted to text without fail: what failed is something behind a view, and not the key.
        Err(Failure::BadValue(error)) if !is_converted(tables, lookup, session_id) => {
            Err(Failure::Other(error))
        }
        Err(failure) => Err(failure),
    }
}

async fn ask_for_api_key(
    connection: &Connection,
    tables: &Tables,
    hash: &ApiKeyHash,
) -> Result<Result<Resolution, StoreError>, Failure> {
    let sql = match &tables.statements.by_api_key {
        Ok(sql) => sql,
        Err(lack) => {
            return Ok(Err(StoreError::new(StoreErrorKind::Schema, lack.as_str())));
        }
    };
    let first_field = USER_COLUMNS + ApiKeyColumn::ALL.len();
    let rows = connection
        .query(sql, &[Text(hash.as_str()).parameter()])
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            let user = read_user(row, first_field, &tables.user_fields)?;
            Ok((user, read_api_key(row, USER_COLUMNS)?))
        })
        .collect::<Result<Vec<_>, StoreError>>()
        .and_then(|rows| api_key_answer(rows, hash)))
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

/// A parameter in text form and of unknown type, for which the server takes the column's.
pub(super) struct Text<'a>(pub(super) &'a str);

/// The driver shows parameters in its own log.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl Text<'_> {
    pub(super) fn parameter(&self) -> (&(dyn ToSql + Sync), Type) {
        (self, Type::UNKNOWN)
    }
}

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

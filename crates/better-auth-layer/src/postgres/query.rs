//! Lookup queries: parameters, rows, and one statement for one lookup or a whole batch.
//!
//! A lookup key is sent as text of unknown type, so that the server converts it to the type of the
//! column. A key that the server cannot convert matches no row. In a batch, one such key would fail
//! the statement for all lookups, so keys are checked before they join a batch, and a batch that
//! fails anyway is repeated with one query per lookup.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use bytes::BytesMut;
use tokio_postgres::Row as PgRow;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::error::QueryError;
use super::pool::Connection;
use super::tables::Tables;
use crate::clock::Timestamp;
use crate::sql::{
    Batch, Column, ColumnType, LookupRow, ResolvedSchema, Row, not_found, resolution,
};
use crate::store::{Lookup, LookupKey, LookupKind, Resolution, StoreError, StoreErrorKind};

pub(super) type LookupResult = Result<Resolution, StoreError>;

/// Lookups with equal keys share a statement: the kind, and whether they are for one session.
pub(super) type LookupBatchKey = (LookupKind, bool);

pub(super) fn batch_key(lookup: &Lookup<'_>) -> LookupBatchKey {
    let has_session = filters_by_session(lookup) && lookup.session_id().is_some();
    (lookup.key().kind(), has_session)
}

/// Resolves the lookups of a batch that have no result yet: with one statement if several fit into
/// one, and otherwise with a query for each.
pub(super) async fn resolve_batch(
    connection: &Connection,
    tables: &Tables,
    lookups: &[&Lookup<'_>],
    results: &mut [Option<LookupResult>],
) -> Result<(), QueryError> {
    let open: Vec<(&Lookup<'_>, &mut Option<LookupResult>)> = lookups
        .iter()
        .copied()
        .zip(results)
        .filter(|(_, result)| result.is_none())
        .collect();
    let Some((first, _)) = open.first() else {
        return Ok(());
    };
    let statements = tables.statements.get(first, batch_key(first).1);
    let batch = statements.ok().and_then(|form| form.batch.as_ref());
    let (mut batched, mut single): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|(lookup, _)| batch.is_some_and(|batch| fits(lookup, batch)));
    if let Some(batch) = batch
        && batched.len() > 1
    {
        match query_batch(connection, tables, batch, &mut batched).await {
            Ok(()) => batched.clear(),
            // One of the keys, or a view that the statement reads, may be the cause.
            Err(QueryError::InvalidText | QueryError::InvalidValue(_) | QueryError::Other(_)) => {}
            Err(error) => return Err(error),
        }
    }
    single.append(&mut batched);
    for (lookup, result) in single {
        match resolve(connection, tables, lookup).await {
            Ok(resolution) => *result = Some(Ok(resolution)),
            // Affects this lookup only.
            Err(error @ (QueryError::Store(_) | QueryError::Other(_))) => {
                *result = Some(Err(error.into()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the server can convert the keys of a lookup.
fn fits(lookup: &Lookup<'_>, batch: &Batch) -> bool {
    let (key, lower_case) = key_texts(lookup);
    let session_id_fits = match batch.session_id {
        Some(column) => lookup.session_id().is_some_and(|id| column.accepts(id)),
        None => true,
    };
    session_id_fits && batch.key.accepts(key) && batch.key.accepts(lower_case)
}

async fn query_batch(
    connection: &Connection,
    tables: &Tables,
    batch: &Batch,
    lookups: &mut [(&Lookup<'_>, &mut Option<LookupResult>)],
) -> Result<(), QueryError> {
    let (keys, lower_case): (Vec<_>, Vec<_>) =
        lookups.iter().map(|(lookup, _)| key_texts(lookup)).unzip();
    let times: Vec<f64> = lookups
        .iter()
        .map(|(lookup, _)| lookup.now().as_unix_seconds_f64())
        .collect();
    let session_ids = lookups.iter().filter_map(|(lookup, _)| lookup.session_id());
    let session_ids = Texts(session_ids.collect());
    let (keys, lower_case) = (Texts(keys), Texts(lower_case));
    let kind = lookups.first().map(|(lookup, _)| lookup.key().kind());
    let mut parameters: Vec<Parameter<'_>> = vec![keys.parameter()];
    if kind == Some(LookupKind::Email) {
        parameters.push(lower_case.parameter());
    }
    if kind != Some(LookupKind::ApiKey) {
        parameters.push((&times, Type::FLOAT8_ARRAY));
    }
    if batch.session_id.is_some() {
        parameters.push(session_ids.parameter());
    }
    let rows = connection.query_often(&batch.sql, &parameters).await?;
    let rows = group_by_lookup(&rows, lookups.len());
    for (index, (lookup, result)) in lookups.iter_mut().enumerate() {
        **result = Some(match &rows {
            Some(rows) => {
                let own = rows.get(index).into_iter().flatten().copied();
                read_resolution(own, tables, lookup)
            }
            None => Err(StoreErrorKind::WrongAnswer.into()),
        });
    }
    Ok(())
}

/// The rows for each lookup, or `None` if a row belongs to no lookup.
fn group_by_lookup(rows: &[PgRow], lookups: usize) -> Option<Vec<Vec<&PgRow>>> {
    let mut groups = vec![Vec::new(); lookups];
    for row in rows {
        let number: i64 = row.try_get(row.len().checked_sub(1)?).ok()?;
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        groups.get_mut(index)?.push(row);
    }
    Some(groups)
}

/// Resolves one lookup with its own query.
async fn resolve(
    connection: &Connection,
    tables: &Tables,
    lookup: &Lookup<'_>,
) -> Result<Resolution, QueryError> {
    let result = query_one(connection, tables, lookup, lookup.session_id()).await;
    let result = match result {
        // The session id or the user key is invalid. A query without the session id distinguishes
        // the two.
        Err(QueryError::InvalidText | QueryError::InvalidValue(_))
            if lookup.session_id().is_some() =>
        {
            match query_one(connection, tables, lookup, None).await {
                Ok(Resolution::Found { .. }) => Ok(Resolution::NoActiveSession),
                result => result,
            }
        }
        result => result,
    };
    match result {
        // No row can have a key that PostgreSQL cannot convert.
        Err(QueryError::InvalidText | QueryError::InvalidValue(_)) => {
            Ok(not_found(lookup.key().kind()))
        }
        result => result,
    }
}

async fn query_one(
    connection: &Connection,
    tables: &Tables,
    lookup: &Lookup<'_>,
    session_id: Option<&str>,
) -> Result<Resolution, QueryError> {
    let statement = tables.statements.get(lookup, session_id.is_some())?;
    let now = lookup.now().as_unix_seconds_f64();
    let (key, lower_case) = key_texts(lookup);
    let (key, lower_case) = (Text(key), Text(lower_case));
    let session_id_text = session_id.map(Text);
    let mut parameters = vec![key.parameter()];
    if lookup.key().kind() == LookupKind::Email {
        parameters.push(lower_case.parameter());
    }
    if lookup.key().kind() != LookupKind::ApiKey {
        parameters.push((&now, Type::FLOAT8));
    }
    if filters_by_session(lookup)
        && let Some(session_id) = &session_id_text
    {
        parameters.push(session_id.parameter());
    }
    match connection.query_often(&statement.sql, &parameters).await {
        Ok(rows) => Ok(read_resolution(&rows, tables, lookup)?),
        // Every text is valid for a text column, so a view that the statement reads has failed.
        Err(QueryError::InvalidValue(error)) if !is_converted(tables, lookup, session_id) => {
            Err(QueryError::Other(error))
        }
        Err(error) => Err(error),
    }
}

fn read_resolution<'a>(
    rows: impl IntoIterator<Item = &'a PgRow>,
    tables: &Tables,
    lookup: &Lookup<'_>,
) -> LookupResult {
    let read = |row| LookupRow::read(row, lookup, &tables.user_fields);
    let rows = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    resolution(rows, lookup)
}

/// The key, and its lower-case form if it is an email.
fn key_texts<'a>(lookup: &'a Lookup<'_>) -> (&'a str, &'a str) {
    match lookup.key() {
        LookupKey::Email(email) => (email.as_str(), email.to_lowercase()),
        LookupKey::UserId(id) => (id, id),
        LookupKey::ApiKey(hash) => (hash.as_str(), hash.as_str()),
        LookupKey::SessionToken(token) => (token.expose(), token.expose()),
    }
}

/// Whether the statement for this kind of lookup can select one session of the user.
fn filters_by_session(lookup: &Lookup<'_>) -> bool {
    matches!(lookup.key().kind(), LookupKind::Email | LookupKind::UserId)
}

/// Whether the server converts one of the keys to another type than text.
fn is_converted(tables: &Tables, lookup: &Lookup<'_>, session_id: Option<&str>) -> bool {
    let ResolvedSchema { user, session } = &tables.schema;
    let is_text = |column: &Column| column.kind == ColumnType::Text;
    let is_text_key = match lookup.key().kind() {
        LookupKind::Email => is_text(&user.email),
        LookupKind::UserId => is_text(&user.id),
        LookupKind::SessionToken | LookupKind::ApiKey => {
            session.token.as_ref().is_some_and(is_text)
        }
    };
    !is_text_key || session_id.is_some() && !is_text(&session.id)
}

/// A parameter with its type in the statement.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A key as text of unknown type, which the server converts to the type of the column.
pub(super) struct Text<'a>(pub(super) &'a str);

/// One key for each lookup of a batch.
struct Texts<'a>(Vec<&'a str>);

impl Text<'_> {
    pub(super) fn parameter(&self) -> Parameter<'_> {
        (self, Type::UNKNOWN)
    }
}

impl Texts<'_> {
    fn parameter(&self) -> Parameter<'_> {
        (self, Type::TEXT_ARRAY)
    }
}

/// Hides the key: the driver logs parameters.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts(..)")
    }
}

impl ToSql for Text<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
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

impl ToSql for Texts<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <Vec<&str> as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

impl Row for PgRow {
    type Error = StoreError;

    fn text_at(&self, index: usize) -> Result<Option<Cow<'_, str>>, StoreError> {
        Ok(get(self, index)?.map(Cow::Borrowed))
    }

    fn time_at(&self, index: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(get(self, index)?.and_then(Timestamp::from_unix_seconds_f64))
    }
}

fn get<'a, T: FromSql<'a>>(row: &'a PgRow, index: usize) -> Result<Option<T>, StoreError> {
    row.try_get(index)
        .map_err(|_| StoreErrorKind::Schema.into())
}

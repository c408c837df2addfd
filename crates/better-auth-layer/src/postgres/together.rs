//! Several lookups of one kind in one statement.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connections::Connection;
use super::failure::Failure;
use super::parameters::{Parameter, Texts};
use super::question::{answer_of, key_texts, narrows, resolve};
use super::tables::Tables;
use crate::sql::Batch;
use crate::store::{Lookup, LookupKind, Resolution, StoreError, StoreErrorKind};

pub(super) type Answer = Result<Resolution, StoreError>;

/// What lookups may have in common: kind, and whether they ask for one session.
pub(super) fn sort(lookup: &Lookup<'_>) -> (LookupKind, bool) {
    let is_narrowed = narrows(lookup) && lookup.session_id().is_some();
    (lookup.key().kind(), is_narrowed)
}

/// Answers lookups of one sort as far as they are not answered yet: in one statement where there are several and they
/// fit into one, and each as if it had been asked alone.
pub(super) async fn resolve_all(
    connection: &Connection,
    tables: &Tables,
    lookups: &[&Lookup<'_>],
    answers: &mut [Option<Answer>],
) -> Result<(), Failure> {
    let open: Vec<(&Lookup<'_>, &mut Option<Answer>)> = lookups
        .iter()
        .copied()
        .zip(answers)
        .filter(|(_, answer)| answer.is_none())
        .collect();
    let form = match open.first() {
        Some((lookup, _)) => tables.statements.get(lookup, sort(lookup).1),
        None => return Ok(()),
    };
    let together = form.ok().and_then(|form| form.batch.as_ref());
    let (mut fitting, mut others): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|(lookup, _)| together.is_some_and(|together| fits(lookup, together)));
    if let Some(together) = together
        && fitting.len() > 1
    {
        match ask(connection, tables, together, &mut fitting).await {
            Ok(()) => fitting.clear(),
            // It may be the key of one of them, or what stands behind it.
            Err(Failure::BadText | Failure::BadValue(_) | Failure::Other(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    others.append(&mut fitting);
    for (lookup, answer) in others {
        match resolve(connection, tables, lookup).await {
            Ok(resolution) => *answer = Some(resolution),
            // This one's own; the others are asked for all the same.
            Err(failure @ Failure::Other(_)) => *answer = Some(Err(failure.into())),
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Whether the server surely reads the keys of a lookup.
fn fits(lookup: &Lookup<'_>, together: &Batch) -> bool {
    let (key, lower_cased) = key_texts(lookup);
    let session_id = match together.session_id {
        Some(session_id) => lookup.session_id().is_some_and(|id| session_id.accepts(id)),
        None => true,
    };
    session_id && together.key.accepts(key) && together.key.accepts(lower_cased)
}

async fn ask(
    connection: &Connection,
    tables: &Tables,
    together: &Batch,
    lookups: &mut [(&Lookup<'_>, &mut Option<Answer>)],
) -> Result<(), Failure> {
    let (keys, lower_cased): (Vec<_>, Vec<_>) =
        lookups.iter().map(|(lookup, _)| key_texts(lookup)).unzip();
    let nows: Vec<f64> = lookups
        .iter()
        .map(|(lookup, _)| lookup.now().as_unix_seconds_f64())
        .collect();
    let session_ids = lookups.iter().filter_map(|(lookup, _)| lookup.session_id());
    let (keys, lower_cased, session_ids) = (
        Texts(keys),
        Texts(lower_cased),
        Texts(session_ids.collect()),
    );
    let kind = lookups.first().map(|(lookup, _)| lookup.key().kind());
    let mut parameters: Vec<Parameter<'_>> = vec![keys.parameter()];
    if kind == Some(LookupKind::Email) {
        parameters.push(lower_cased.parameter());
    }
    if kind != Some(LookupKind::ApiKey) {
        parameters.push((&nows, Type::FLOAT8_ARRAY));
    }
    if together.session_id.is_some() {
        parameters.push(session_ids.parameter());
    }
    let rows = connection.query_often(&together.sql, &parameters).await?;
    let rows = by_lookup(&rows, lookups.len());
    for (index, (lookup, answer)) in lookups.iter_mut().enumerate() {
        **answer = Some(match &rows {
            Some(rows) => {
                let own = rows.get(index).into_iter().flatten().copied();
                answer_of(own, tables, lookup)
            }
            None => Err(StoreErrorKind::WrongAnswer.into()),
        });
    }
    Ok(())
}

/// The rows for each lookup; nothing where one of them is for none.
fn by_lookup(rows: &[Row], lookups: usize) -> Option<Vec<Vec<&Row>>> {
    let mut sorted = vec![Vec::new(); lookups];
    for row in rows {
        let number: i64 = row.try_get(row.len().checked_sub(1)?).ok()?;
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        sorted.get_mut(index)?.push(row);
    }
    Some(sorted)
}

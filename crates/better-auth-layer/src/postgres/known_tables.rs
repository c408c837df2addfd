//! The resolved schema, kept between lookups.
//!
//! Tables and columns are found when they are first needed, again every five minutes, and after an
//! error that says that they changed. Tables in use stay in use as long as they fit.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::connections::Connection;
use super::failure::Failure;
use super::tables::Tables;
use crate::clock::Timestamp;
use crate::schema::Schema;
use crate::store::StoreError;

/// Finds the tables when they are first needed, and again after the refresh interval.
pub(super) struct KnownTables {
    schema: Schema,
    refresh: Duration,
    /// Never locked across an await.
    known: RwLock<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    tables: Arc<Tables>,
    since: Timestamp,
    /// Whether the last attempt to find the tables failed.
    are_gone: bool,
}

/// The earliest and the latest time of the lookups in a batch.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
}

impl KnownTables {
    pub(super) fn new(schema: Schema, refresh: Duration) -> Self {
        Self {
            schema,
            refresh,
            known: RwLock::new(None),
        }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The known tables. They are looked for again after the refresh interval, or if the known ones
    /// are `outdated`. Without times the age does not matter.
    pub(super) async fn get(
        &self,
        connection: &Connection,
        times: Option<Times>,
        outdated: Option<&Arc<Tables>>,
    ) -> Result<Result<Arc<Tables>, StoreError>, Failure> {
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = &known
            && !known.are_gone
            // Another task may have found the new ones.
            && outdated.is_none_or(|outdated| !Arc::ptr_eq(outdated, &known.tables))
            && times.is_none_or(|times| self.is_fresh(known.since, times))
        {
            return Ok(Ok(Arc::clone(&known.tables)));
        }
        let in_use = known.as_ref().map(|known| &*known.tables);
        let found = Tables::find(connection, &self.schema, in_use).await?;
        connection.forget_prepared();
        let found = found.map(Arc::new);
        let known = match (&found, known) {
            (Ok(tables), _) => Some(Known {
                tables: Arc::clone(tables),
                // Without a time the entry is old at the next lookup.
                since: times.map_or(Timestamp::UNIX_EPOCH, |times| times.latest),
                are_gone: false,
            }),
            // The known tables are kept, so that they take precedence when they are back.
            (Err(_), known) => known.map(|known| Known {
                are_gone: true,
                ..known
            }),
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(found)
    }

    /// A clock that was set back must not keep an old entry fresh.
    fn is_fresh(&self, since: Timestamp, Times { earliest, latest }: Times) -> bool {
        since.abs_diff(earliest) < self.refresh && since.abs_diff(latest) < self.refresh
    }
}

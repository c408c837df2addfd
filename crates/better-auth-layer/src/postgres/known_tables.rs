//! The tables as they were last found.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::connections::Connection;
use super::failure::Failure;
use super::tables::Tables;
use crate::clock::Timestamp;
use crate::store::{Schema, StoreError};

/// Finds the tables when they are first needed, and again when that is too long ago.
pub(super) struct KnownTables {
    schema: Schema,
    refresh: Duration,
    /// Never locked across a wait: readers take the pointer and go.
    known: RwLock<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    tables: Arc<Tables>,
    since: Timestamp,
    /// Whether they are gone, or were when they were last looked for.
    are_gone: bool,
}

/// The earliest and the latest of the times that lookups carry.
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

    /// The tables as they are known, or found anew where that is too long ago or they turned out to be `outdated`.
    /// Without times, what is known is taken, however old.
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
            // Somebody else may have found them anew meanwhile.
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
                // Found without knowing the time, it is old at the next lookup.
                since: times.map_or(Timestamp::UNIX_EPOCH, |times| times.latest),
                are_gone: false,
            }),
            // Nobody needs to ask them before looking for them; when they come back, they are still those in use.
            (Err(_), known) => known.map(|known| Known {
                are_gone: true,
                ..known
            }),
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(found)
    }

    /// A clock that was set back must not keep old knowledge alive for ever.
    fn is_fresh(&self, since: Timestamp, Times { earliest, latest }: Times) -> bool {
        since.abs_diff(earliest) < self.refresh && since.abs_diff(latest) < self.refresh
    }
}

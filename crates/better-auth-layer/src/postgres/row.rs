//! Reading the columns of a PostgreSQL row.

use std::borrow::Cow;

use tokio_postgres::Row as PgRow;
use tokio_postgres::types::FromSql;

use crate::clock::Timestamp;
use crate::sql::Row;
use crate::store::{StoreError, StoreErrorKind};

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

//! A row of a lookup's answer.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::clock::Timestamp;
use crate::store::sql::Record;
use crate::store::{Column, StoreError, StoreErrorKind};

impl Record for Row {
    type Error = StoreError;

    fn text(&self, column: Column) -> Result<Option<Cow<'_, str>>, StoreError> {
        Ok(get(self, column)?.map(Cow::Borrowed))
    }

    fn time(&self, column: Column) -> Result<Option<Timestamp>, StoreError> {
        Ok(get(self, column)?.and_then(Timestamp::from_unix_seconds_f64))
    }
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: Column) -> Result<Option<T>, StoreError> {
    row.try_get(column as usize)
        .map_err(|_| StoreErrorKind::Schema.into())
}

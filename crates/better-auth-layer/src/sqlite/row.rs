//! Reading the columns of a SQLite row.

use std::borrow::Cow;

use rusqlite::Row as SqliteRow;

use crate::clock::Timestamp;
use crate::sql::Row;

impl Row for SqliteRow<'_> {
    type Error = rusqlite::Error;

    fn text_at(&self, index: usize) -> rusqlite::Result<Option<Cow<'_, str>>> {
        let text: Option<String> = self.get(index)?;
        Ok(text.map(Cow::Owned))
    }

    fn time_at(&self, index: usize) -> rusqlite::Result<Option<Timestamp>> {
        let seconds: Option<f64> = self.get(index)?;
        Ok(seconds.and_then(Timestamp::from_unix_seconds_f64))
    }
}

//! A row of a lookup's answer.

use std::borrow::Cow;

use rusqlite::Row;

use crate::clock::Timestamp;
use crate::store::sql::Record;

impl Record for Row<'_> {
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

//! One table of the database, and the columns that are picked from it.

use std::collections::BTreeMap;

use super::column_type::{BatchKey, ColumnType};
use crate::schema::{Schema, TableName};

/// The tables that exist, of those that the configuration may mean.
#[derive(Debug, Default)]
pub(crate) struct FoundTables(BTreeMap<TableName, FoundColumns>);

type FoundColumns = BTreeMap<String, FoundColumn>;

/// What the database reports about a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundColumn {
    pub(crate) kind: ColumnType,
    /// Whether the role may read the column.
    pub(crate) is_readable: bool,
    /// How lookups by this column can share a statement, if they can.
    pub(crate) batch_key: Option<BatchKey>,
}

/// For databases without types and privileges of columns.
impl Default for FoundColumn {
    fn default() -> Self {
        Self {
            kind: ColumnType::Other,
            is_readable: true,
            batch_key: None,
        }
    }
}

/// A column that statements read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnType,
    pub(crate) batch_key: Option<BatchKey>,
}

impl FoundTables {
    pub(crate) fn insert(&mut self, table: &TableName, column: String, found: FoundColumn) {
        let columns = self.0.entry(table.clone()).or_default();
        columns.insert(column, found);
    }

    /// The same tables for a role that reads none of their columns itself.
    #[cfg(feature = "postgres")]
    pub(crate) fn all_readable(mut self) -> Self {
        for column in self.0.values_mut().flat_map(BTreeMap::values_mut) {
            column.is_readable = true;
        }
        self
    }

    /// Picks columns from a table.
    pub(super) fn picker<'a>(&'a self, table: &'a TableName) -> Picker<'a> {
        let columns = self.0.get(table);
        Picker {
            table,
            columns,
            missing: match columns {
                Some(_) => Vec::new(),
                None => vec![format!("table {table}")],
            },
            unreadable: Vec::new(),
        }
    }

    /// Picks columns from the first of the candidates that exists. The error lists missing tables.
    pub(super) fn first_picker<'a>(
        &'a self,
        candidates: &'a [TableName],
    ) -> Result<Picker<'a>, String> {
        let found = candidates.iter().find(|table| self.0.contains_key(table));
        let names = || candidates.iter().map(ToString::to_string);
        found.map(|table| self.picker(table)).ok_or_else(|| {
            let names: Vec<_> = names().collect();
            format!("there is no table {}", names.join(" or "))
        })
    }
}

/// Picks columns from one table and collects the names of those that are missing.
pub(super) struct Picker<'a> {
    table: &'a TableName,
    columns: Option<&'a FoundColumns>,
    pub(super) missing: Vec<String>,
    /// Columns that exist and are needed, but that the role may not read.
    pub(super) unreadable: Vec<String>,
}

impl Picker<'_> {
    pub(super) fn table(&self) -> TableName {
        self.table.clone()
    }

    /// A column that must exist, under the first of these names that the table has.
    pub(super) fn required(&mut self, names: &[&str]) -> Option<Column> {
        let found = self.find(names);
        match &found {
            None => self.report_missing(names),
            Some((column, false)) => self.report_unreadable(&column.name),
            Some((_, true)) => {}
        }
        found.map(|(column, _)| column)
    }

    /// A column that may be absent or unreadable.
    pub(super) fn optional(&mut self, names: &[&str]) -> Option<Column> {
        let (column, is_readable) = self.find(names)?;
        is_readable.then_some(column)
    }

    /// A column that may be absent, but that must be readable if it exists.
    pub(super) fn readable_if_present(&mut self, names: &[&str]) -> Option<Column> {
        let (column, is_readable) = self.find(names)?;
        if !is_readable {
            self.report_unreadable(&column.name);
        }
        Some(column)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.is_some_and(|found| found.contains_key(name))
    }

    pub(super) fn report_missing(&mut self, names: &[&str]) {
        // A missing table is reported once, as a table.
        if let (Some(_), Some(name)) = (self.columns, names.first()) {
            let missing = format!("column \"{name}\" of {}", self.table);
            self.missing.push(missing);
        }
    }

    fn report_unreadable(&mut self, name: &str) {
        self.unreadable
            .push(format!("column \"{name}\" of {}", self.table));
    }

    fn find(&self, names: &[&str]) -> Option<(Column, bool)> {
        let columns = self.columns?;
        let (name, found) = names
            .iter()
            .find_map(|name| Some((*name, columns.get(*name)?)))?;
        let column = Column {
            name: name.to_owned(),
            kind: found.kind,
            batch_key: found.batch_key,
        };
        Some((column, found.is_readable))
    }

    /// Reports columns that are needed and that the role may not read.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.unreadable.is_empty() {
            return Ok(());
        }
        Err(self.problem())
    }

    /// Why the table cannot be read.
    pub(super) fn problem(&self) -> String {
        if self.missing.is_empty() {
            unreadable(&self.unreadable)
        } else {
            format!("there is no {}", self.missing.join(", "))
        }
    }
}

/// The message about columns that the database's role may not read.
pub(super) fn unreadable(columns: &[String]) -> String {
    let columns = columns.join(", ");
    format!("the database's role may not read {columns}; GRANT SELECT on it")
}

/// The names that a table may have: the configured one, or both defaults.
pub(super) fn candidates(
    schema: &Schema,
    configured: Option<&TableName>,
    defaults: [&str; 2],
) -> Vec<TableName> {
    let tables = configured.map_or_else(
        || defaults.map(TableName::new).to_vec(),
        |table| vec![table.clone()],
    );
    let qualify = |table: TableName| match (table.schema(), &schema.database_schema) {
        (None, Some(name)) => table.in_schema(name),
        _ => table,
    };
    tables.into_iter().map(qualify).collect()
}

//! Tables beside those of users and sessions.

use std::collections::BTreeMap;

use super::FoundTables;
use crate::store::schema::TableName;

/// A column of such a table, under every name it may have.
#[derive(Debug)]
pub(crate) struct SideColumn {
    pub(crate) names: &'static [&'static str],
    pub(crate) is_required: bool,
}

impl SideColumn {
    pub(crate) const fn required(names: &'static [&'static str]) -> Self {
        Self {
            names,
            is_required: true,
        }
    }

    pub(crate) const fn optional(names: &'static [&'static str]) -> Self {
        Self {
            names,
            is_required: false,
        }
    }
}

/// The one such table that was found, with the columns that it has.
#[derive(Debug)]
pub(crate) struct SideTable<T> {
    table: TableName,
    /// By the position in the list of columns.
    columns: BTreeMap<usize, (String, T)>,
}

impl<T: Copy> SideTable<T> {
    /// Takes the first of the candidates that is there. `Err`: what is missing, for the log.
    ///
    /// `is_readable`: whether a column that is there may be read. One that may not and is not required is left out.
    pub(crate) fn choose(
        candidates: &[TableName],
        columns: &[SideColumn],
        found: &FoundTables<T>,
        is_readable: impl Fn(T) -> bool,
    ) -> Result<Self, String> {
        let present = candidates
            .iter()
            .find_map(|table| Some((table, found.get(&table.to_string())?)));
        let Some((table, present)) = present else {
            let names: Vec<_> = candidates.iter().map(ToString::to_string).collect();
            return Err(format!("there is no table {}", names.join(" or ")));
        };
        let mut chosen = BTreeMap::new();
        for (position, column) in columns.iter().enumerate() {
            let named = column
                .names
                .iter()
                .find_map(|name| Some(((*name).to_owned(), *present.get(*name)?)));
            match named {
                Some((name, kind)) if is_readable(kind) => {
                    chosen.insert(position, (name, kind));
                }
                Some((name, _)) if column.is_required => {
                    return Err(format!(
                        "the database's role may not read column \"{name}\" of {table}; GRANT SELECT on it"
                    ));
                }
                None if column.is_required => {
                    let name = column.names.first().unwrap_or(&"");
                    return Err(format!("there is no column \"{name}\" in {table}"));
                }
                Some(_) | None => {}
            }
        }
        Ok(Self {
            table: table.clone(),
            columns: chosen,
        })
    }

    pub(crate) fn table(&self) -> &TableName {
        &self.table
    }

    /// A column with what the database says of it.
    pub(crate) fn column(&self, position: usize) -> Option<(&str, T)> {
        let (name, kind) = self.columns.get(&position)?;
        Some((name, *kind))
    }
}

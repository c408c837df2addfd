//! The columns that statements select from each table, in the order in which rows are read.

use super::api_key_row::ApiKeyTable;
use super::dialect::Dialect;
use super::resolved_schema::{SessionTable, UserTable};
use super::table::Column;
use crate::schema::Quoted;

/// How a value is selected.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Text,
    Time,
    /// A time at which something ends, if it ends.
    End,
}

pub(super) type Selection<'a> = Vec<(Value, Option<&'a Column>)>;

impl UserTable {
    pub(super) fn selection(&self) -> Selection<'_> {
        let mut selection = vec![
            (Value::Text, Some(&self.id)),
            (Value::Text, Some(&self.email)),
            (Value::Text, self.email_verified.as_ref()),
            (Value::Text, self.name.as_ref()),
            (Value::Text, self.image.as_ref()),
            (Value::Text, self.role.as_ref()),
            (Value::Text, self.banned.as_ref()),
            (Value::Time, self.ban_expires.as_ref()),
        ];
        selection.extend(self.fields.iter().map(|field| (Value::Text, Some(field))));
        selection
    }
}

impl SessionTable {
    pub(super) fn selection(&self) -> Selection<'_> {
        vec![
            (Value::Text, Some(&self.id)),
            (Value::Text, Some(&self.user_id)),
            (Value::Time, Some(&self.expires_at)),
            (Value::Text, self.token.as_ref()),
            (Value::Time, self.created_at.as_ref()),
            (Value::Text, self.impersonated_by.as_ref()),
            (Value::Text, self.active_organization_id.as_ref()),
        ]
    }
}

impl ApiKeyTable {
    pub(super) fn selection(&self) -> Selection<'_> {
        vec![
            (Value::Text, Some(&self.id)),
            (Value::Text, Some(&self.hash)),
            (Value::Text, Some(&self.owner)),
            (Value::Text, Some(&self.enabled)),
            (Value::End, Some(&self.expires_at)),
            (Value::Text, Some(&self.remaining)),
            (Value::Text, self.config_id.as_ref()),
            (Value::Text, self.name.as_ref()),
            (Value::Text, self.refill_interval.as_ref()),
            (Value::Text, self.refill_amount.as_ref()),
            (Value::Time, self.last_refill_at.as_ref()),
            (Value::Time, self.created_at.as_ref()),
            (Value::Text, self.rate_limit_enabled.as_ref()),
            (Value::Text, self.rate_limit_time_window.as_ref()),
            (Value::Text, self.rate_limit_max.as_ref()),
            (Value::Text, self.permissions.as_ref()),
        ]
    }
}

impl Dialect {
    /// Selects columns of the table with an alias. Their own aliases are the table's with a number:
    /// `u0`, `u1`, ….
    pub(super) fn select(self, table: &str, selection: &[(Value, Option<&Column>)]) -> Vec<String> {
        let expression = |(value, selected): &(Value, Option<&Column>)| {
            let Some(selected) = selected else {
                return match value {
                    Value::Text => self.null_text().to_owned(),
                    Value::Time | Value::End => self.null_time().to_owned(),
                };
            };
            let name = column(table, selected);
            match value {
                Value::Text => self.text(&name),
                Value::Time => self.epoch(&name, selected.kind),
                Value::End => self.end(&name, selected.kind),
            }
        };
        let expressions = selection.iter().map(expression).enumerate();
        let selected =
            expressions.map(|(index, expression)| format!("{expression} AS {table}{index}"));
        selected.collect()
    }
}

/// The columns that [`Dialect::select`] selected in a subquery.
pub(super) fn aliases(table: &str, columns: usize) -> String {
    let names: Vec<_> = (0..columns)
        .map(|index| format!("{table}.{table}{index}"))
        .collect();
    names.join(", ")
}

pub(super) fn column(table: &str, column: &Column) -> String {
    format!("{table}.{}", Quoted(&column.name))
}

//! Statements that answer several lookups at once, with `unnest` and `LATERAL` (PostgreSQL).

use super::column_type::BatchKey;

/// A statement for several lookups. Each parameter is an array with a value for each lookup, and the
/// last column of a row is the number of the row's lookup, counted from 1.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "PostgreSQL only")
)]
pub(crate) struct Batch {
    pub(crate) sql: String,
    pub(crate) key: BatchKey,
    /// The type of the session's id, if the lookups are for one session each.
    pub(crate) session_id: Option<BatchKey>,
}

/// The parameters of a lookup, as its statement writes them.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) key: String,
    pub(super) lower_case: String,
    pub(super) now: String,
    pub(super) session_id: Option<String>,
}

impl Batch {
    pub(super) fn new(
        parameters: &Parameters,
        key: BatchKey,
        session_id: Option<BatchKey>,
        write: impl Fn(&Parameters) -> String,
    ) -> Self {
        let cast = |name: &str, to: BatchKey| format!("lookup.{name}::{}", to.name());
        let one = write(&Parameters {
            key: cast("key", key),
            lower_case: cast("lower_case", key),
            now: "lookup.now".to_owned(),
            session_id: session_id.map(|id| cast("session_id", id)),
        });
        let arrays = [
            (parameters.key.as_str(), "text", "key"),
            (&parameters.lower_case, "text", "lower_case"),
            (&parameters.now, "float8", "now"),
            (
                parameters.session_id.as_deref().unwrap_or_default(),
                "text",
                "session_id",
            ),
        ];
        let arrays: Vec<_> = arrays
            .iter()
            .filter(|(parameter, ..)| !parameter.is_empty())
            .collect();
        let values = arrays
            .iter()
            .map(|(parameter, of, _)| format!("{parameter}::{of}[]"));
        let names = arrays.iter().map(|(.., name)| *name);
        Self {
            sql: format!(
                "SELECT result.*, lookup.number FROM unnest({}) WITH ORDINALITY AS lookup ({}, number) \
                 CROSS JOIN LATERAL ({one}) AS result",
                values.collect::<Vec<_>>().join(", "),
                names.collect::<Vec<_>>().join(", "),
            ),
            key,
            session_id,
        }
    }
}

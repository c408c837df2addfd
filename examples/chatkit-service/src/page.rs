//! Pagination.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::response::ErrorResponse;

/// The page size of the protocol for requests without a limit.
const DEFAULT_LIMIT: usize = 20;

/// The pagination parameters of a request.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Paging {
    pub(crate) limit: Option<usize>,
    #[serde(default)]
    pub(crate) order: Order,
    pub(crate) after: Option<String>,
}

/// Oldest or newest row first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    Asc,
    #[default]
    Desc,
}

/// Rows, and the id to continue after if more rows follow.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

impl<T> Page<T> {
    pub(crate) const fn empty() -> Self {
        Self {
            data: Vec::new(),
            has_more: false,
            after: None,
        }
    }

    pub(crate) fn map<U>(self, row: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(row).collect(),
            has_more: self.has_more,
            after: self.after,
        }
    }
}

impl<'a, R> Page<&'a R> {
    /// Selects a page of `rows`, which are sorted from old to new.
    pub(crate) fn select(
        rows: &'a [R],
        paging: &Paging,
        id: impl Fn(&R) -> &str,
    ) -> Result<Self, ErrorResponse> {
        let mut data: Vec<&R> = rows.iter().collect();
        if paging.order == Order::Desc {
            data.reverse();
        }
        if let Some(after) = &paging.after {
            let Some(position) = data.iter().position(|row| id(row) == after) else {
                return Err(ErrorResponse::new(
                    StatusCode::BAD_REQUEST,
                    "`after` is not the id of a row in this list; omit it to start from the beginning",
                ));
            };
            data.drain(..=position);
        }
        // As in a real ChatKit server, a limit of 0 means the default.
        let limit = paging
            .limit
            .filter(|limit| *limit > 0)
            .unwrap_or(DEFAULT_LIMIT);
        let has_more = data.len() > limit;
        data.truncate(limit);
        let after = data
            .last()
            .filter(|_| has_more)
            .map(|row| id(row).to_owned());
        Ok(Self {
            data,
            has_more,
            after,
        })
    }
}

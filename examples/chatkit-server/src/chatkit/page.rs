//! A part of a list.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// What the protocol says when a request gives no limit.
const DEFAULT_LIMIT: usize = 20;

/// Which part of a list a request asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Paging {
    pub(super) limit: Option<usize>,
    #[serde(default)]
    pub(super) order: Order,
    pub(super) after: Option<String>,
}

/// From the oldest row or from the newest.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    Asc,
    #[default]
    Desc,
}

/// Rows, and the id to continue after if there are more.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    data: Vec<T>,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

impl<T> Page<T> {
    pub(super) const fn empty() -> Self {
        Self {
            data: Vec::new(),
            has_more: false,
            after: None,
        }
    }

    pub(super) fn map<U>(self, row: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(row).collect(),
            has_more: self.has_more,
            after: self.after,
        }
    }
}

impl<'a, R> Page<&'a R> {
    /// `rows` are sorted from old to new.
    pub(super) fn select(
        rows: &'a [R],
        paging: &Paging,
        id: impl Fn(&R) -> &str,
    ) -> Result<Self, Refusal> {
        let mut data: Vec<&R> = rows.iter().collect();
        if paging.order == Order::Desc {
            data.reverse();
        }
        if let Some(after) = &paging.after {
            let Some(position) = data.iter().position(|row| id(row) == after) else {
                return Err(Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "`after` is the id of no row of this list; leave it out to start again",
                ));
            };
            data.drain(..=position);
        }
        // A limit of 0 counts as none, as it does in a real ChatKit server.
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

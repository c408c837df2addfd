//! Threads in the form of the protocol.

use serde::Serialize;

use crate::response::ErrorResponse;
use crate::{
    item::{Item, new_id, now},
    page::Page,
};

/// A thread and a page of its items.
#[derive(Debug, Serialize)]
pub(crate) struct Thread {
    #[serde(flatten)]
    metadata: ThreadMetadata,
    items: Page<Item>,
}

impl Thread {
    pub(crate) const fn new(metadata: ThreadMetadata, items: Page<Item>) -> Self {
        Self { metadata, items }
    }

    pub(crate) fn id(&self) -> &str {
        &self.metadata.id
    }
}

/// A thread without its items.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ThreadMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    pub(crate) id: String,
    created_at: String,
    status: ThreadStatus,
    metadata: CustomMetadata,
}

impl ThreadMetadata {
    pub(crate) fn new() -> Result<Self, ErrorResponse> {
        Ok(Self {
            title: None,
            id: new_id("thr")?,
            created_at: now(),
            status: ThreadStatus::Active,
            metadata: CustomMetadata {},
        })
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ThreadStatus {
    Active,
}

/// Always present and empty: a thread's stored metadata is not sent to clients.
#[derive(Clone, Debug, Serialize)]
struct CustomMetadata {}

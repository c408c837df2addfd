//! A conversation as the protocol shows it.

use serde::Serialize;

use super::{
    item::{Item, new_id, now},
    page::Page,
};
use crate::refusal::Refusal;

/// A thread and a page of its items.
#[derive(Debug, Serialize)]
pub(super) struct Thread {
    #[serde(flatten)]
    metadata: ThreadMetadata,
    items: Page<Item>,
}

impl Thread {
    pub(super) const fn new(metadata: ThreadMetadata, items: Page<Item>) -> Self {
        Self { metadata, items }
    }

    pub(super) fn id(&self) -> &str {
        &self.metadata.id
    }
}

/// A thread without its items.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ThreadMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    pub(super) id: String,
    created_at: String,
    status: ThreadStatus,
    metadata: CustomMetadata,
}

impl ThreadMetadata {
    pub(super) fn new() -> Result<Self, Refusal> {
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

/// Always sent and always empty: what a server keeps with a thread is not for its clients.
#[derive(Clone, Debug, Serialize)]
struct CustomMetadata {}

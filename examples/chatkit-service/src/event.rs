//! Server-sent events of a reply.

use bytes::Bytes;
use serde::Serialize;

use crate::{
    item::{AssistantMessageContent, Item},
    thread::Thread,
};

/// One event of a stream.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(crate) enum ThreadStreamEvent {
    #[serde(rename = "thread.created")]
    ThreadCreated { thread: Thread },
    #[serde(rename = "thread.item.added")]
    ThreadItemAdded { item: Item },
    #[serde(rename = "thread.item.updated")]
    ThreadItemUpdated {
        item_id: String,
        update: ThreadItemUpdate,
    },
    #[serde(rename = "thread.item.done")]
    ThreadItemDone { item: Item },
    #[serde(rename = "stream_options")]
    StreamOptions { stream_options: StreamOptions },
}

impl ThreadStreamEvent {
    /// Encodes the event as one `data:` line. Compact JSON contains no newline.
    pub(crate) fn to_frame(&self) -> serde_json::Result<Bytes> {
        let mut frame = b"data: ".to_vec();
        serde_json::to_writer(&mut frame, self)?;
        frame.extend_from_slice(b"\n\n");
        Ok(frame.into())
    }
}

/// A change to a message while it is written.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(crate) enum ThreadItemUpdate {
    #[serde(rename = "assistant_message.content_part.added")]
    Added {
        content_index: usize,
        content: AssistantMessageContent,
    },
    #[serde(rename = "assistant_message.content_part.text_delta")]
    TextDelta { content_index: usize, delta: String },
    #[serde(rename = "assistant_message.content_part.done")]
    Done {
        content_index: usize,
        content: AssistantMessageContent,
    },
}

/// Options that the client has for the stream.
#[derive(Debug, Serialize)]
pub(crate) struct StreamOptions {
    pub(crate) allow_cancel: bool,
}

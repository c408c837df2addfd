//! What a thread is made of: messages of the user and of the assistant.

use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// One message of a thread.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Item {
    id: String,
    thread_id: String,
    created_at: String,
    #[serde(flatten)]
    kind: ItemKind,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ItemKind {
    UserMessage(UserMessageInput),
    AssistantMessage {
        content: Vec<AssistantMessageContent>,
    },
}

impl Item {
    pub(super) fn user_message(thread_id: &str, input: UserMessageInput) -> Result<Self, Refusal> {
        Self::new(thread_id, ItemKind::UserMessage(input))
    }

    /// A message in which nothing has been said yet.
    pub(super) fn assistant_message(thread_id: &str) -> Result<Self, Refusal> {
        let content = Vec::new();
        Self::new(thread_id, ItemKind::AssistantMessage { content })
    }

    fn new(thread_id: &str, kind: ItemKind) -> Result<Self, Refusal> {
        Ok(Self {
            id: new_id("msg")?,
            thread_id: thread_id.to_owned(),
            created_at: now(),
            kind,
        })
    }

    /// The same message, saying `text`.
    pub(super) fn saying(self, text: String) -> Self {
        let content = vec![AssistantMessageContent::new(text)];
        Self {
            kind: ItemKind::AssistantMessage { content },
            ..self
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn is_user_message(&self) -> bool {
        matches!(self.kind, ItemKind::UserMessage(_))
    }

    /// The message without its structure.
    pub(super) fn text(&self) -> String {
        match &self.kind {
            ItemKind::UserMessage(input) => input.content.iter().map(|part| part.text()).collect(),
            ItemKind::AssistantMessage { content } => {
                content.iter().map(|part| part.text.as_str()).collect()
            }
        }
    }
}

/// What a user sends. As in a real ChatKit server, only `quoted_text` may be left out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct UserMessageInput {
    content: Vec<UserMessageContent>,
    attachments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted_text: Option<String>,
    inference_options: InferenceOptions,
}

impl UserMessageInput {
    pub(super) fn new(content: Vec<UserMessageContent>) -> Self {
        Self {
            content,
            attachments: Vec::new(),
            quoted_text: None,
            inference_options: InferenceOptions::default(),
        }
    }

    pub(super) fn has_attachments(&self) -> bool {
        !self.attachments.is_empty()
    }
}

/// A part of a user's message.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum UserMessageContent {
    InputText {
        text: String,
    },
    InputTag {
        id: String,
        text: String,
        data: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        #[serde(default)]
        interactive: bool,
    },
}

impl UserMessageContent {
    fn text(&self) -> &str {
        match self {
            Self::InputText { text } | Self::InputTag { text, .. } => text,
        }
    }
}

/// What a user may choose about the model. The demo has none, and only gives it back.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct InferenceOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct ToolChoice {
    id: String,
}

/// A part of the assistant's message.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "output_text")]
pub(super) struct AssistantMessageContent {
    annotations: [(); 0],
    text: String,
}

impl AssistantMessageContent {
    pub(super) const fn new(text: String) -> Self {
        Self {
            annotations: [],
            text,
        }
    }
}

/// An id that is unique. Access never depends on its being hard to guess.
pub(super) fn new_id(prefix: &str) -> Result<String, Refusal> {
    let random = getrandom::u64().map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    })?;
    Ok(format!("{prefix}_{random:016x}"))
}

/// RFC 3339 in UTC, to the microsecond: what every ChatKit client can read.
pub(super) fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

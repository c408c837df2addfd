//! Thread items: messages of the user and of the assistant.

use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::response::ErrorResponse;

/// One message of a thread.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
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
    pub(crate) fn user_message(
        thread_id: &str,
        input: UserMessageInput,
    ) -> Result<Self, ErrorResponse> {
        Self::new(thread_id, ItemKind::UserMessage(input))
    }

    /// An assistant message without content.
    pub(crate) fn assistant_message(thread_id: &str) -> Result<Self, ErrorResponse> {
        let content = Vec::new();
        Self::new(thread_id, ItemKind::AssistantMessage { content })
    }

    fn new(thread_id: &str, kind: ItemKind) -> Result<Self, ErrorResponse> {
        Ok(Self {
            id: new_id("msg")?,
            thread_id: thread_id.to_owned(),
            created_at: now(),
            kind,
        })
    }

    /// The same message with `text` as its content.
    pub(crate) fn with_text(self, text: String) -> Self {
        let content = vec![AssistantMessageContent::new(text)];
        Self {
            kind: ItemKind::AssistantMessage { content },
            ..self
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) const fn is_user_message(&self) -> bool {
        matches!(self.kind, ItemKind::UserMessage(_))
    }

    /// The plain text of the message.
    pub(crate) fn text(&self) -> String {
        match &self.kind {
            ItemKind::UserMessage(input) => input.content.iter().map(|part| part.text()).collect(),
            ItemKind::AssistantMessage { content } => {
                content.iter().map(|part| part.text.as_str()).collect()
            }
        }
    }
}

/// The input of a user. As in a real ChatKit server, only `quoted_text` is optional.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct UserMessageInput {
    content: Vec<UserMessageContent>,
    attachments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted_text: Option<String>,
    inference_options: InferenceOptions,
}

impl UserMessageInput {
    pub(crate) fn new(content: Vec<UserMessageContent>) -> Self {
        Self {
            content,
            attachments: Vec::new(),
            quoted_text: None,
            inference_options: InferenceOptions::default(),
        }
    }

    pub(crate) fn has_attachments(&self) -> bool {
        !self.attachments.is_empty()
    }
}

/// A part of a user's message.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum UserMessageContent {
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

/// Model options. There is no model here; the service only returns them.
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
pub(crate) struct AssistantMessageContent {
    annotations: [(); 0],
    text: String,
}

impl AssistantMessageContent {
    pub(crate) const fn new(text: String) -> Self {
        Self {
            annotations: [],
            text,
        }
    }
}

/// A unique id. Access control does not rely on ids being hard to guess.
pub(crate) fn new_id(prefix: &str) -> Result<String, ErrorResponse> {
    let random = getrandom::u64().map_err(|error| {
        tracing::error!(%error, "no random bytes from the operating system");
        ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    })?;
    Ok(format!("{prefix}_{random:016x}"))
}

/// The time in UTC as RFC 3339 with microseconds, which every ChatKit client can parse.
pub(crate) fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

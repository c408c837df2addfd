//! Parses the body of a ChatKit request.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::response::ErrorResponse;
use crate::{
    item::{UserMessageContent, UserMessageInput},
    page::Paging,
};

const EXAMPLE: &str = r#"{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Hello"}],"attachments":[],"inference_options":{}}}}"#;

/// The names of the operations in [`Operation`].
pub(crate) const SUPPORTED: [&str; 9] = [
    "threads.create",
    "threads.add_user_message",
    "threads.retry_after_item",
    "threads.get_by_id",
    "threads.list",
    "threads.update",
    "threads.delete",
    "items.list",
    "items.feedback",
];

/// The operations that are not implemented: widgets, tools, forms, files and speech.
pub(crate) const UNSUPPORTED: [&str; 7] = [
    "threads.add_client_tool_output",
    "threads.add_structured_input",
    "threads.custom_action",
    "threads.sync_custom_action",
    "attachments.create",
    "attachments.delete",
    "input.transcribe",
];

/// An operation and its parameters.
///
/// The protocol requires that unknown fields are ignored. `metadata` is one of them: the client
/// controls it, so it must not carry an identity.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "params")]
pub(crate) enum Operation {
    #[serde(rename = "threads.create")]
    ThreadsCreate { input: UserMessageInput },
    #[serde(rename = "threads.add_user_message")]
    ThreadsAddUserMessage {
        thread_id: String,
        input: UserMessageInput,
    },
    #[serde(rename = "threads.retry_after_item")]
    ThreadsRetryAfterItem { thread_id: String, item_id: String },
    #[serde(rename = "threads.get_by_id")]
    ThreadsGetById { thread_id: String },
    #[serde(rename = "threads.list")]
    ThreadsList(Paging),
    #[serde(rename = "threads.update")]
    ThreadsUpdate { thread_id: String, title: String },
    #[serde(rename = "threads.delete")]
    ThreadsDelete { thread_id: String },
    #[serde(rename = "items.list")]
    ItemsList {
        thread_id: String,
        #[serde(flatten)]
        paging: Paging,
    },
    #[serde(rename = "items.feedback")]
    ItemsFeedback {
        thread_id: String,
        item_ids: Vec<String>,
        kind: FeedbackKind,
    },
}

/// A user's rating of a reply.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FeedbackKind {
    Positive,
    Negative,
}

impl Operation {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ErrorResponse> {
        if body.is_empty() {
            return Err(malformed("The body is empty"));
        }
        let document: Value = serde_json::from_slice(body)
            .map_err(|error| malformed(&format!("The body is not JSON ({error})")))?;
        let Some(envelope) = document.as_object() else {
            return Err(malformed("The body is not a JSON object"));
        };
        match (envelope.get("type"), envelope.get("message")) {
            (Some(Value::String(name)), _) => {
                let name = name.clone();
                Self::of_type(&name, document)
            }
            (Some(_), _) => Err(malformed("`type` is not a string")),
            // A shorthand for curl, which is not part of the ChatKit protocol.
            (None, Some(Value::String(text))) => {
                let content = vec![UserMessageContent::InputText { text: text.clone() }];
                let input = UserMessageInput::new(content);
                Ok(Self::ThreadsCreate { input })
            }
            (None, Some(_)) => Err(malformed("`message` is not a string")),
            (None, None) => Err(malformed("`type` is missing")),
        }
    }

    fn of_type(name: &str, document: Value) -> Result<Self, ErrorResponse> {
        if UNSUPPORTED.contains(&name) {
            return Err(not_implemented(name));
        }
        if !SUPPORTED.contains(&name) {
            let known = SUPPORTED.join(", ");
            return Err(malformed(&format!(
                "`type` is not a known operation; this server implements {known}"
            )));
        }
        let operation = Self::deserialize(document)
            .map_err(|error| malformed(&format!("`params` of {name}: {error}")))?;
        match &operation {
            Self::ThreadsCreate { input } | Self::ThreadsAddUserMessage { input, .. }
                if input.has_attachments() =>
            {
                Err(not_implemented("`attachments` of a message"))
            }
            _ => Ok(operation),
        }
    }
}

fn malformed(problem: &str) -> ErrorResponse {
    let error =
        format!(r#"{problem}. Send for example {EXAMPLE} or, in short, {{"message":"Hello"}}"#);
    ErrorResponse::new(StatusCode::BAD_REQUEST, error)
}

fn not_implemented(what: &str) -> ErrorResponse {
    let error = format!(
        "This demo does not implement {what}. A full ChatKit server does: \
         set CHATKIT_UPSTREAM to its URL"
    );
    ErrorResponse::new(StatusCode::NOT_IMPLEMENTED, error)
}

//! Tests of the service and of the proxy through their `handle` methods.

mod errors;
mod limits;
mod paging;
mod proxy;
mod recordings;
mod stream;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use crate::{BoxBody, ChatKit};

const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// A complete response.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    frames: Vec<Bytes>,
}

impl Answer {
    fn content_type(&self) -> &str {
        self.headers[CONTENT_TYPE].to_str().unwrap()
    }

    fn document(&self) -> Value {
        assert_eq!(self.content_type(), "application/json");
        serde_json::from_slice(&self.frames.concat()).unwrap()
    }

    fn events(&self) -> Vec<Value> {
        assert_eq!(self.content_type(), EVENT_STREAM);
        self.frames.iter().map(event).collect()
    }

    /// The message of an error response.
    fn error(&self) -> String {
        let document = self.document();
        let error = document["error"].as_str().unwrap().to_owned();
        let status = self.status.as_u16();
        assert_eq!(document, json!({ "error": error, "status": status }));
        error
    }
}

/// Parses the one event of a frame.
fn event(frame: &Bytes) -> Value {
    let text = std::str::from_utf8(frame).unwrap();
    let line = text
        .strip_prefix("data: ")
        .unwrap()
        .strip_suffix("\n\n")
        .unwrap();
    assert!(!line.contains('\n'), "{line}");
    serde_json::from_str(line).unwrap()
}

async fn open(chatkit: &ChatKit, user_id: &str, request: &Value) -> http::Response<BoxBody> {
    let body = Full::from(request.to_string());
    chatkit
        .handle(user_id, Request::post("/").body(body).unwrap())
        .await
}

async fn post_bytes(chatkit: &ChatKit, user_id: &str, body: impl Into<Bytes>) -> Answer {
    let request = Request::post("/").body(Full::new(body.into())).unwrap();
    let (parts, mut body) = chatkit.handle(user_id, request).await.into_parts();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        frames.push(frame.unwrap().into_data().unwrap());
    }
    Answer {
        status: parts.status,
        headers: parts.headers,
        frames,
    }
}

async fn post(chatkit: &ChatKit, user_id: &str, request: &Value) -> Answer {
    post_bytes(chatkit, user_id, request.to_string()).await
}

fn input(text: &str) -> Value {
    json!({ "content": [{ "type": "input_text", "text": text }], "attachments": [], "inference_options": {} })
}

fn create(text: &str) -> Value {
    json!({ "type": "threads.create", "params": { "input": input(text) } })
}

fn add(thread_id: &str, text: &str) -> Value {
    json!({ "type": "threads.add_user_message", "params": { "thread_id": thread_id, "input": input(text) } })
}

fn retry(thread_id: &str, item_id: &str) -> Value {
    json!({ "type": "threads.retry_after_item", "params": { "thread_id": thread_id, "item_id": item_id } })
}

/// Creates a thread and returns its id and the ids of its two messages.
async fn thread(chatkit: &ChatKit, user_id: &str) -> (String, String, String) {
    let events = post(chatkit, user_id, &create("Hello")).await.events();
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let reply = &events.last().unwrap()["item"];
    (id(&events[0]["thread"]), id(&events[1]["item"]), id(reply))
}

/// All items of a thread, oldest first.
async fn items(chatkit: &ChatKit, user_id: &str, thread_id: &str) -> Vec<Value> {
    let params = json!({ "thread_id": thread_id, "order": "asc", "limit": 10_000 });
    let request = json!({ "type": "items.list", "params": params });
    let document = post(chatkit, user_id, &request).await.document();
    document["data"].as_array().unwrap().clone()
}

async fn thread_ids(chatkit: &ChatKit, user_id: &str) -> Vec<String> {
    let request = json!({ "type": "threads.list", "params": { "limit": 10_000 } });
    let document = post(chatkit, user_id, &request).await.document();
    let rows = document["data"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

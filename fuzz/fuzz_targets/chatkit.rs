//! Sequences of bodies for the example's ChatKit service: no body causes a server error, and no user
//! reads the text of another user.

#![no_main]

use bytes::Bytes;
use chatkit_service::ChatKit;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const SECRET: &str = "text-of-the-victim";

/// Longer sequences find nothing new.
const MAX_BODIES: usize = 16;

/// Identifiers are random. These words in an input are replaced by the latest identifiers.
const OWN_THREAD: &str = "OWN_THREAD";
const OWN_ITEM: &str = "OWN_ITEM";
const FOREIGN_THREAD: &str = "FOREIGN_THREAD";
const FOREIGN_ITEM: &str = "FOREIGN_ITEM";

#[derive(Default)]
struct Seen {
    thread: String,
    item: String,
}

impl Seen {
    fn update(&mut self, answer: &str) {
        for (prefix, last) in [("thr_", &mut self.thread), ("msg_", &mut self.item)] {
            if let Some((_, rest)) = answer.rsplit_once(prefix) {
                let end = rest.find('"').unwrap_or(rest.len());
                *last = format!("{prefix}{}", &rest[..end]);
            }
        }
    }
}

async fn send(chatkit: &ChatKit, user_id: &str, body: String) -> (StatusCode, String) {
    let request = Request::new(Full::new(Bytes::from(body)));
    let response = chatkit.handle(user_id, request).await;
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body");
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    (status, text)
}

async fn talk(input: &str) {
    let chatkit = ChatKit::new();
    let create = json!({"type": "threads.create", "params": {"input": {
        "content": [{"type": "input_text", "text": SECRET}], "attachments": [], "inference_options": {}}}});
    let (status, answer) = send(&chatkit, "victim", create.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    let (mut own, mut foreign) = (Seen::default(), Seen::default());
    foreign.update(&answer);
    assert!(
        !foreign.thread.is_empty() && !foreign.item.is_empty(),
        "{answer}"
    );
    for body in input.split('\0').take(MAX_BODIES) {
        let body = body
            .replace(OWN_THREAD, &own.thread)
            .replace(OWN_ITEM, &own.item)
            .replace(FOREIGN_THREAD, &foreign.thread)
            .replace(FOREIGN_ITEM, &foreign.item);
        // The service may return the text that the same user has sent.
        let body = body.replace(SECRET, "");
        let (status, answer) = send(&chatkit, "mallory", body).await;
        // Some operations of the protocol are not supported.
        let is_server_error = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
        assert!(!is_server_error, "{status}: {answer}");
        assert!(!answer.contains(SECRET), "{answer}");
        if status == StatusCode::OK {
            own.update(&answer);
        }
    }
    let read = json!({"type": "items.list", "params": {"thread_id": foreign.thread}});
    let (status, answer) = send(&chatkit, "victim", read.to_string()).await;
    assert!(
        status == StatusCode::OK && answer.contains(SECRET),
        "{answer}"
    );
}

fuzz_target!(|input: &str| {
    // Replies are streamed with delays; paused time advances automatically.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(talk(input));
});

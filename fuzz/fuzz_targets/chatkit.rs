//! Bodies for the example's ChatKit service, several in turn: nothing is an error of the server, and no user reads what
//! another one wrote.

#![no_main]

use bytes::Bytes;
use chatkit_service::ChatKit;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const SECRET: &str = "what-only-the-victim-wrote";

/// More than that say nothing new.
const MOST_BODIES: usize = 16;

/// Identifiers are random. In an input these words stand for those that were seen last.
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
    fn look(&mut self, answer: &str) {
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
    foreign.look(&answer);
    assert!(
        !foreign.thread.is_empty() && !foreign.item.is_empty(),
        "{answer}"
    );
    for body in input.split('\0').take(MOST_BODIES) {
        let body = body
            .replace(OWN_THREAD, &own.thread)
            .replace(OWN_ITEM, &own.item)
            .replace(FOREIGN_THREAD, &foreign.thread)
            .replace(FOREIGN_ITEM, &foreign.item);
        // What one says oneself comes back.
        let body = body.replace(SECRET, "");
        let (status, answer) = send(&chatkit, "mallory", body).await;
        // Some operations of the protocol are known and not supported.
        let is_ours = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
        assert!(!is_ours, "{status}: {answer}");
        assert!(!answer.contains(SECRET), "{answer}");
        if status == StatusCode::OK {
            own.look(&answer);
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
    // A reply is said word by word; time that stands still passes by itself.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(talk(input));
});

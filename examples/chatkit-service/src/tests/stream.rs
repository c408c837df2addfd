//! Timing of a streamed reply, and the stored message.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{add, create, event, items, open, post, retry, thread, thread_ids};
use crate::{BoxBody, ChatKit};

/// The number of events in the response to [`create`]`("Hello")`, and of those before the first word.
const EVENTS: usize = 12;
const BEFORE_WORDS: usize = 5;

async fn read(body: &mut BoxBody, events: usize) -> Vec<Value> {
    let mut read = Vec::new();
    for _ in 0..events {
        let frame = body.frame().await.unwrap().unwrap();
        read.push(event(&frame.into_data().unwrap()));
    }
    read
}

#[tokio::test(start_paused = true)]
async fn reply_is_streamed_word_by_word() {
    let chatkit = ChatKit::new();
    let start = Instant::now();
    let mut body = open(&chatkit, "alice", &create("Hello")).await.into_body();
    read(&mut body, 1).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    for _ in 1..EVENTS {
        let before = Instant::now();
        read(&mut body, 1).await;
        assert_ne!(before.elapsed(), Duration::ZERO);
    }
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn sent_text_is_stored() {
    for seen in 1..=EVENTS {
        let chatkit = ChatKit::new();
        let mut body = open(&chatkit, "alice", &create("Hello")).await.into_body();
        let events = read(&mut body, seen).await;
        let thread_id = events[0]["thread"]["id"].as_str().unwrap();

        let before = items(&chatkit, "alice", thread_id).await.len();
        assert_eq!(
            before,
            if seen == EVENTS { 2 } else { 1 },
            "{seen}: stored when done"
        );
        drop(body);
        let held = items(&chatkit, "alice", thread_id).await;

        let said: String = events
            .iter()
            .filter_map(|event| event["update"]["delta"].as_str())
            .collect();
        assert_eq!(said.is_empty(), seen <= BEFORE_WORDS, "{seen}");
        let texts: Vec<&Value> = held
            .iter()
            .map(|item| &item["content"][0]["text"])
            .collect();
        if said.is_empty() {
            assert_eq!(texts, [&json!("Hello")], "{seen}");
        } else {
            assert_eq!(texts, [&json!("Hello"), &json!(said)], "{seen}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reply_to_deleted_thread_is_dropped() {
    let chatkit = ChatKit::new();
    let mut body = open(&chatkit, "alice", &create("Hello")).await.into_body();
    let events = read(&mut body, BEFORE_WORDS + 1).await;
    let thread_id = &events[0]["thread"]["id"];
    let delete = json!({ "type": "threads.delete", "params": { "thread_id": thread_id } });
    assert_eq!(post(&chatkit, "alice", &delete).await.document(), json!({}));
    read(&mut body, EVENTS - BEFORE_WORDS - 1).await;
    assert_eq!(thread_ids(&chatkit, "alice").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn retry_removes_later_items() {
    let chatkit = ChatKit::new();
    let (thread_id, question, old_reply) = thread(&chatkit, "alice").await;
    post(&chatkit, "alice", &add(&thread_id, "more")).await;
    let body = open(&chatkit, "alice", &retry(&thread_id, &question))
        .await
        .into_body();
    let held = items(&chatkit, "alice", &thread_id).await;
    assert_eq!(held.len(), 1);
    body.collect().await.unwrap();
    let held = items(&chatkit, "alice", &thread_id).await;
    assert_eq!(held.len(), 2);
    assert_eq!(held[0]["id"], question);
    assert_ne!(held[1]["id"], old_reply);
}

#[tokio::test(start_paused = true)]
async fn clones_share_threads() {
    let chatkit = ChatKit::new();
    let (thread_id, _, _) = thread(&chatkit.clone(), "alice").await;
    assert_eq!(thread_ids(&chatkit, "alice").await, [thread_id]);
}
